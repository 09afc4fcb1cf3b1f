import { randomBytes } from 'node:crypto';
import slugify from '@sindresorhus/slugify';
import { postgresError } from '../database/database-errors.js';

const MAX_SLUG_LENGTH = 80;

/**
 * Inserts a row under a slug made from its name. Where another row has that slug, a few random characters
 * follow it: the database says whether a slug is free, so no two requests can take the same one.
 *
 * @param name what the slug is made from
 * @param kind what stands in the slug where the name has no letter, as in `organization-211`
 * @param insert inserts the row under the slug that it is given
 */
export async function insertUnderSlug<Row>(
  name: string,
  kind: string,
  insert: (slug: string) => Promise<Row>,
): Promise<Row> {
  const base = slugOf(name, kind);
  for (let slug = base; ; slug = `${base}-${randomBytes(3).toString('hex')}`) {
    try {
      return await insert(slug);
    } catch (error) {
      if (!postgresError(error)?.constraint?.endsWith('_slug')) throw error;
    }
  }
}

/** A slug is never all digits, so that it cannot be mistaken for an ID. */
export function slugOf(name: string, kind: string): string {
  const slug = slugify(name, { decamelize: false }).slice(0, MAX_SLUG_LENGTH).replace(/-$/, '');
  return /[a-z]/.test(slug) ? slug : [kind, slug].filter(Boolean).join('-');
}

import { randomBytes } from 'node:crypto';
import slugify from '@sindresorhus/slugify';
import type { EntityManager, ObjectLiteral, ObjectType, QueryDeepPartialEntity } from 'typeorm';
import { RetryableException } from '../common/problem-details.js';

const MAX_SLUG_LENGTH = 80;

/** How many slugs are tried for a name. With 24 random bits, even the second one is hardly ever taken. */
const MAX_ATTEMPTS = 5;

/**
 * Inserts a row with a slug made from its name. If the slug is taken, a few random characters are appended. The
 * database decides whether a slug is taken, so that two requests cannot get the same one.
 *
 * @param kind the beginning of the slug if the name contains no letter, as in `organization-211`
 * @param name the text from which the slug is made
 * @param row the other columns
 * @returns the ID and the slug of the new row
 * @throws RetryableException when all slugs that were tried are taken
 */
export async function insertWithSlug<Row extends ObjectLiteral>(
  manager: EntityManager,
  entity: ObjectType<Row>,
  kind: string,
  name: string,
  row: QueryDeepPartialEntity<Row>,
): Promise<{ id: number; slug: string }> {
  const base = toSlug(name, kind);
  let slug = base;
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const insert = manager
      .createQueryBuilder()
      .insert()
      .into(entity)
      .values({ ...row, slug })
      // ON CONFLICT (slug) DO NOTHING, because an error would abort the transaction. Any other conflict is one.
      .orUpdate([], ['slug']);
    const result = await insert.returning('id').execute();
    const [inserted] = result.raw as { id: number }[];
    if (inserted !== undefined) return { id: inserted.id, slug };
    slug = `${base}-${randomBytes(3).toString('hex')}`;
  }
  throw new RetryableException(503, 'No unused slug was found for this name. Retry later.');
}

/** Makes a slug from a name. It is never all digits, so that it cannot be mistaken for an ID. */
export function toSlug(name: string, kind: string): string {
  const slug = slugify(name, { decamelize: false }).slice(0, MAX_SLUG_LENGTH).replace(/-$/, '');
  return /[a-z]/.test(slug) ? slug : [kind, slug].filter(Boolean).join('-');
}

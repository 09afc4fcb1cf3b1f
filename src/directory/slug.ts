import { randomBytes } from 'node:crypto';
import slugify from '@sindresorhus/slugify';
import type { EntityManager, ObjectLiteral, ObjectType, QueryDeepPartialEntity } from 'typeorm';

const MAX_SLUG_LENGTH = 80;

/**
 * Inserts a row under a slug made from its name. Where another row has that slug, a few random characters
 * follow it: the database says whether a slug is free, so no two requests can take the same one.
 *
 * @param kind what stands in the slug where the name has no letter, as in `organization-211`
 * @param name what the slug is made from
 * @param row the other columns
 * @returns the ID and the slug of the new row
 */
export async function insertWithSlug<Row extends ObjectLiteral>(
  manager: EntityManager,
  entity: ObjectType<Row>,
  kind: string,
  name: string,
  row: QueryDeepPartialEntity<Row>,
): Promise<{ id: number; slug: string }> {
  const base = toSlug(name, kind);
  for (let slug = base; ; slug = `${base}-${randomBytes(3).toString('hex')}`) {
    const insert = manager
      .createQueryBuilder()
      .insert()
      .into(entity)
      .values({ ...row, slug });
    // A slug that is taken is no error, which would undo the transaction that this may be part of.
    const result = await insert.orIgnore().returning('id').execute();
    const [inserted] = result.raw as { id: number }[];
    if (inserted !== undefined) return { id: inserted.id, slug };
  }
}

/** A slug is never all digits, so that it cannot be mistaken for an ID. */
export function toSlug(name: string, kind: string): string {
  const slug = slugify(name, { decamelize: false }).slice(0, MAX_SLUG_LENGTH).replace(/-$/, '');
  return /[a-z]/.test(slug) ? slug : [kind, slug].filter(Boolean).join('-');
}

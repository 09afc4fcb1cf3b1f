import { randomBytes } from 'node:crypto';
import slugify from '@sindresorhus/slugify';
import type { EntityManager, ObjectLiteral, ObjectType, QueryDeepPartialEntity } from 'typeorm';

const MAX_SLUG_LENGTH = 80;

/**
 * Inserts a row with a slug made from its name. If the slug is taken, a few random characters are appended. The database
 * decides whether a slug is taken, so that two requests cannot get the same one.
 *
 * @param kind the beginning of the slug if the name contains no letter, as in `organization-211`
 * @param name the text from which the slug is made
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
    // ON CONFLICT DO NOTHING, because an error would abort the transaction.
    const result = await insert.orIgnore().returning('id').execute();
    const [inserted] = result.raw as { id: number }[];
    if (inserted !== undefined) return { id: inserted.id, slug };
  }
}

/** Makes a slug from a name. It is never all digits, so that it cannot be mistaken for an ID. */
export function toSlug(name: string, kind: string): string {
  const slug = slugify(name, { decamelize: false }).slice(0, MAX_SLUG_LENGTH).replace(/-$/, '');
  return /[a-z]/.test(slug) ? slug : [kind, slug].filter(Boolean).join('-');
}

import type pg from 'pg';
import { PHONES_PER_OWNER } from './operations.js';

/**
 * Fills the empty tables of a new database with sample data. Each organization has one opportunity and one location, and
 * each of these three owners has {@link PHONES_PER_OWNER} phones.
 *
 * @param client a connection as a superuser: foreign key checks, which would take most of the time, are turned off
 */
export async function fill(client: pg.ClientBase, organizations: number): Promise<void> {
  await client.query('SET session_replication_role = replica');
  await client.query(
    `INSERT INTO organizations (slug, name)
     SELECT 'organization-' || number, 'Organization ' || number FROM generate_series(1, $1::integer) AS number`,
    [organizations],
  );
  await client.query(
    `INSERT INTO opportunities (organization_id, slug, title)
     SELECT id, 'opportunity-' || id, 'Opportunity ' || id FROM organizations ORDER BY id`,
  );
  await client.query(
    `INSERT INTO locations (organization_id, name) SELECT id, 'Location ' || id FROM organizations ORDER BY id`,
  );
  for (const type of ['organization', 'opportunity', 'location']) {
    await client.query(
      `INSERT INTO phones (owner_type, owner_id, digits, phone_type, is_primary)
       SELECT $1, owner, '650-555-' || number || ' x ' || owner % 100,
         (ARRAY['Main', 'Fax', null])[number], number = 1
       FROM generate_series(1, $2::integer) AS owner, generate_series(1, $3::integer) AS number
       ORDER BY owner, number`,
      [type, organizations, PHONES_PER_OWNER],
    );
  }
  await client.query('RESET session_replication_role');
  await client.query('VACUUM ANALYZE');
}

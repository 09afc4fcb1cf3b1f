import type pg from 'pg';
import { dialingVersion } from '../../src/dialing/dialed-number.js';
import { PHONES_PER_OWNER } from './operations.js';

/**
 * Fills the empty tables of a new database with sample data. Each organization has one opportunity and one location, and
 * each of these three owners has {@link PHONES_PER_OWNER} phones. Each number is that of one phone of each type of owner.
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
      `INSERT INTO phones (owner_type, owner_id, digits, phone_type, is_primary,
         dial, dial_extension, dialed_digits, dialing_version)
       SELECT $1, owner, digits, (ARRAY['Main', 'Fax', null])[number], number = 1,
         dial, owner % 100, digits, $4
       FROM generate_series(1, $2::integer) AS owner, generate_series(1, $3::integer) AS number,
         LATERAL (SELECT '+1' || (2000000000 + owner * $3::integer + number)) AS dialed (dial),
         LATERAL (SELECT dial || ' x ' || owner % 100) AS written (digits)
       ORDER BY owner, number`,
      [type, organizations, PHONES_PER_OWNER, dialingVersion('US')],
    );
  }
  await client.query('RESET session_replication_role');
  await client.query('VACUUM ANALYZE');
}

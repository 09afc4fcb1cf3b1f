import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import dataSource from '../ormconfig.js';
import { OWNER_TYPES } from '../src/phones/phone-owner.js';

beforeAll(async () => {
  await dataSource.initialize();
});

afterAll(() => dataSource.destroy());

const TABLES = `
  SELECT table_name FROM information_schema.tables
  WHERE table_schema = 'public' AND table_name NOT IN ('migrations', 'typeorm_metadata') ORDER BY 1`;

const tables = async () =>
  (await dataSource.query<{ table_name: string }[]>(TABLES)).map((row) => row.table_name);

describe('the migrations', () => {
  it('make what the entities describe, no more and no less', async () => {
    await dataSource.runMigrations();
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
  });

  it('can be undone, one after the other, and done again', async () => {
    while ((await tables()).length > 0) await dataSource.undoLastMigration();
    expect(await tables()).toEqual([]);
    expect(await dataSource.query('SELECT * FROM typeorm_metadata')).toEqual([]);
    await dataSource.runMigrations();
    expect(await tables()).toEqual([
      'api_keys',
      'client_organizations',
      'clients',
      'idempotency_keys',
      'locations',
      'opportunities',
      'organizations',
      'phones',
    ]);
    expect(await dataSource.showMigrations()).toBe(false);
  });

  it('leave nothing to do when they are done', async () => {
    expect(await dataSource.runMigrations()).toEqual([]);
  });
});

describe('the database itself', () => {
  const insertPhone = (
    owner_type: string,
    owner_id: number,
    digits = '211',
    is_primary = false,
    phone_type: string | null = null,
  ) =>
    dataSource.query(
      'INSERT INTO phones (owner_type, owner_id, digits, is_primary, phone_type) VALUES ($1, $2, $3, $4, $5)',
      [owner_type, owner_id, digits, is_primary, phone_type],
    );

  beforeAll(async () => {
    await dataSource.query(`INSERT INTO organizations (slug, name) VALUES ('one', 'One'), ('two', 'Two')`);
    await dataSource.query(
      `INSERT INTO opportunities (organization_id, slug, title) VALUES (1, 'one', 'One')`,
    );
    await dataSource.query(`INSERT INTO locations (organization_id, name) VALUES (1, 'One')`);
  });

  it.each(OWNER_TYPES)('refuses a phone whose %s is not there', async (type) => {
    await expect(insertPhone(type, 99)).rejects.toThrow(`fk_phones_${type}`);
  });

  it.each(OWNER_TYPES)('refuses a second primary number of an %s', async (type) => {
    await insertPhone(type, 1, '211', true);
    await expect(insertPhone(type, 1, '711', true)).rejects.toThrow('uq_phones_primary');
  });

  it('refuses an unknown type of owner, and empty text', async () => {
    await expect(insertPhone('program', 1)).rejects.toThrow('ck_phones_owner_type');
    await expect(insertPhone('location', 1, '')).rejects.toThrow('ck_phones_digits');
    await expect(insertPhone('location', 1, '211', false, '')).rejects.toThrow('ck_phones_phone_type');
  });

  it('refuses a slug that is taken', async () => {
    await expect(
      dataSource.query(`INSERT INTO organizations (slug, name) VALUES ('one', 'Again')`),
    ).rejects.toThrow('uq_organizations_slug');
  });

  it('keeps no phone of an owner that is gone', async () => {
    for (const type of OWNER_TYPES) await insertPhone(type, 1);
    await dataSource.query('DELETE FROM organizations WHERE id = 1');
    expect(await dataSource.query('SELECT * FROM phones')).toEqual([]);
  });
});

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import dataSource from '../ormconfig.js';
import { AppDataSource } from '../src/database/app-data-source.js';
import { OWNER_TYPES } from '../src/phones/phone-owner.js';
import { databaseSettings, onServer, SERVER, setEnvironment } from './support/database.js';

beforeAll(async () => {
  await dataSource.initialize();
});

afterAll(() => dataSource.destroy());

const LIST_TABLES = `
  SELECT table_name FROM information_schema.tables
  WHERE table_schema = 'public' AND table_name NOT IN ('migrations', 'typeorm_metadata') ORDER BY 1`;

const listTables = async () =>
  (await dataSource.query<{ table_name: string }[]>(LIST_TABLES)).map((row) => row.table_name);

describe('The migrations', () => {
  it('create exactly the schema that the entities describe', async () => {
    await dataSource.runMigrations();
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
  });

  it('can be reverted one by one and run again', async () => {
    while ((await listTables()).length > 0) await dataSource.undoLastMigration();
    expect(await listTables()).toEqual([]);
    expect(await dataSource.query('SELECT * FROM typeorm_metadata')).toEqual([]);
    await dataSource.runMigrations();
    expect(await listTables()).toEqual([
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

  it('do nothing when they have already run', async () => {
    expect(await dataSource.runMigrations()).toEqual([]);
  });
});

it(
  'A database that was restored under another name needs no migration',
  { skip: SERVER === undefined },
  async () => {
    const original = new URL(databaseSettings().DATABASE_URL ?? '');
    const name = `${original.pathname.slice(1)}_restored`;
    await dataSource.destroy();
    await onServer(`CREATE DATABASE ${name} TEMPLATE ${original.pathname.slice(1)}`);
    setEnvironment({ DATABASE_URL: Object.assign(new URL(original), { pathname: name }).href });
    onTestFinished(() => onServer(`DROP DATABASE ${name} WITH (FORCE)`));
    const restored = await new AppDataSource(dataSource.options).initialize();
    const { upQueries } = await restored.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
    await restored.destroy();
    setEnvironment({ DATABASE_URL: original.href });
    await dataSource.initialize();
  },
);

describe('The database', () => {
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

  it.each(OWNER_TYPES)('rejects a phone whose %s does not exist', async (type) => {
    await expect(insertPhone(type, 99)).rejects.toThrow(`fk_phones_${type}`);
  });

  it.each(OWNER_TYPES)('rejects a second primary phone of the same %s', async (type) => {
    await insertPhone(type, 1, '211', true);
    await expect(insertPhone(type, 1, '711', true)).rejects.toThrow('uq_phones_primary');
  });

  it('rejects an unknown owner type and empty text', async () => {
    await expect(insertPhone('program', 1)).rejects.toThrow('ck_phones_owner_type');
    await expect(insertPhone('location', 1, '')).rejects.toThrow('ck_phones_digits');
    await expect(insertPhone('location', 1, '211', false, '')).rejects.toThrow('ck_phones_phone_type');
  });

  it('rejects a slug that is already taken', async () => {
    await expect(
      dataSource.query(`INSERT INTO organizations (slug, name) VALUES ('one', 'Again')`),
    ).rejects.toThrow('uq_organizations_slug');
  });

  it('deletes the phones of deleted owners', async () => {
    for (const type of OWNER_TYPES) await insertPhone(type, 1);
    await dataSource.query('DELETE FROM organizations WHERE id = 1');
    expect(await dataSource.query('SELECT * FROM phones')).toEqual([]);
  });
});

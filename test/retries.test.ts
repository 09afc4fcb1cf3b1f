import { randomUUID } from 'node:crypto';
import pg, { Pool, type PoolClient } from 'pg';
import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type ApiResponse,
  app,
  AS_ADMIN,
  expectProblem,
  type Method,
  request,
  restart,
} from './support/api.js';
import { createClient } from './support/clients.js';
import { databaseSettings, keyHeader, SERVER } from './support/database.js';
import { createOwner, createPhone, type Phone } from './support/owners.js';

const query = <Row>(sql: string) => app.get(DataSource).query<Row[]>(sql);

/** Makes the first writes to a table fail with this SQLSTATE. */
async function failFirstWrites(table: string, count: number, code: string): Promise<void> {
  // A sequence keeps counting when its transaction is rolled back.
  await query('CREATE SEQUENCE attempts');
  await query(`
    CREATE FUNCTION fail_first_writes() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF nextval('attempts') <= ${count} THEN
          RAISE EXCEPTION 'rolled back' USING ERRCODE = '${code}';
        END IF;
        RETURN NULL;
      END
    $$`);
  await query(
    `CREATE TRIGGER fail_first_writes AFTER INSERT OR UPDATE OR DELETE ON ${table}
      FOR EACH ROW EXECUTE FUNCTION fail_first_writes()`,
  );
}

async function countAttempts(): Promise<number> {
  const [row] = await query<{ count: string }>('SELECT last_value AS count FROM attempts');
  return Number(row?.count);
}

afterEach(async () => {
  await query('DROP FUNCTION IF EXISTS fail_first_writes CASCADE');
  await query('DROP SEQUENCE IF EXISTS attempts');
});

type Write = () => Promise<ApiResponse>;

/** Each write with the table that it writes to, and a function that prepares it. */
const WRITES: [name: string, table: string, prepare: () => Promise<Write>][] = [
  ['POST of a phone', 'phones', phoneWrite('POST', { digits: '211' })],
  [
    'POST of a phone with an Idempotency-Key',
    'phones',
    phoneWrite('POST', { digits: '211' }, () => ({ 'idempotency-key': randomUUID() })),
  ],
  ['PUT of a phone', 'phones', phoneWrite('PUT', { digits: '311' })],
  ['DELETE of a phone', 'phones', phoneWrite('DELETE')],
  ['POST of an organization', 'organizations', ownerWrite('POST', 'organization', { name: 'Harbor' })],
  ['PUT of an organization', 'organizations', ownerWrite('PUT', 'organization', { name: 'Harbor' })],
  ['DELETE of an organization', 'organizations', ownerWrite('DELETE', 'organization')],
  ['POST of an opportunity', 'opportunities', ownerWrite('POST', 'opportunity', { title: 'Lunch' })],
  ['PUT of an opportunity', 'opportunities', ownerWrite('PUT', 'opportunity', { title: 'Lunch' })],
  ['DELETE of an opportunity', 'opportunities', ownerWrite('DELETE', 'opportunity')],
  ['POST of a location', 'locations', ownerWrite('POST', 'location', { name: 'Harbor' })],
  ['PUT of a location', 'locations', ownerWrite('PUT', 'location', { name: 'Harbor' })],
  ['DELETE of a location', 'locations', ownerWrite('DELETE', 'location')],
  [
    'POST of a client',
    'clients',
    () => Promise.resolve(() => request('POST', '/v1/clients', { name: 'Desk' }, AS_ADMIN)),
  ],
  ['DELETE of a client', 'clients', clientDeletion],
];

function phoneWrite(
  method: Method,
  body?: object,
  headers: () => Record<string, string> = () => ({}),
): () => Promise<Write> {
  return async () => {
    const owner = await createOwner('organization');
    const { id } = await createPhone(owner);
    const path = method === 'POST' ? `${owner}/phones` : `${owner}/phones/${id}`;
    return () => request(method, path, body, headers());
  };
}

function ownerWrite(
  method: Method,
  type: 'organization' | 'opportunity' | 'location',
  body?: object,
): () => Promise<Write> {
  return async () => {
    const path = await createOwner(type);
    return () => request(method, method === 'POST' ? path.replace(/\/\d+$/, '') : path, body);
  };
}

async function clientDeletion(): Promise<Write> {
  const { id } = await createClient();
  return () => request('DELETE', `/v1/clients/${id}`, undefined, AS_ADMIN);
}

describe.each(WRITES)('A %s that PostgreSQL rolls back', (name, table, prepare) => {
  it.each([
    ['a serialization failure', '40001'],
    ['a deadlock', '40P01'],
  ])('for %s is retried and succeeds', async (_, code) => {
    const write = await prepare();
    await failFirstWrites(table, 2, code);
    expect((await write()).status).toBeLessThan(300);
    expect(await countAttempts()).toBe(3);
  });

  it('for the state of its session is retried once in another session', async () => {
    const write = await prepare();
    await failFirstWrites(table, 1, '25006');
    expect((await write()).status).toBeLessThan(300);
    expect(await countAttempts()).toBe(2);
  });

  it('on every attempt returns 503 after five attempts', async () => {
    const write = await prepare();
    await failFirstWrites(table, 1000, '40001');
    const response = await write();
    const hint = ' A retry with the same Idempotency-Key creates nothing twice.';
    const detail = `The database is unavailable or too slow. Retry later.${name.includes('Idempotency-Key') ? hint : ''}`;
    expectProblem(response, 503, detail);
    expect(response.headers['retry-after']).toBe('5');
    expect(await countAttempts()).toBe(5);
  });
});

it('a write that fails in a second session returns 503', async () => {
  const owner = await createOwner('organization');
  await failFirstWrites('phones', 1000, '25006');
  expectProblem(await request('POST', `${owner}/phones`, { digits: '211' }), 503);
  expect(await countAttempts()).toBe(2);
});

it('a write that fails for another reason is not retried', async () => {
  const owner = await createOwner('organization');
  await failFirstWrites('phones', 1000, '53100');
  const response = await request('POST', `${owner}/phones`, { digits: '211' });
  expectProblem(response, 503, 'The database has no space left.');
  expect(response.headers['retry-after']).toBe('5');
  expect(await countAttempts()).toBe(1);
});

describe('The sessions of the pool', () => {
  // All of them are replaced at most once a second, unless the pool is new.
  beforeEach(() => restart({}));

  /** Uses every connection of the pool at the same time. */
  async function onAllConnections(use: (connection: PoolClient) => Promise<unknown>): Promise<void> {
    const pool = app.get(Pool);
    const connections = await Promise.all(Array.from({ length: pool.options.max }, () => pool.connect()));
    for (const connection of connections) await use(connection);
    for (const connection of connections) connection.release();
  }

  it('are replaced when they have become read-only, and the first write succeeds', async () => {
    const owner = await createOwner('organization');
    await onAllConnections((connection) => connection.query('SET default_transaction_read_only = on'));
    const headers = { 'idempotency-key': randomUUID() };
    const created = await request('POST', `${owner}/phones`, { digits: '211' }, headers);
    expect(created.status).toBe(201);
    await onAllConnections(async (connection) => {
      const { rows } = await connection.query('SHOW default_transaction_read_only');
      expect(rows).toEqual([{ default_transaction_read_only: 'off' }]);
    });
  });

  it('are replaced again when they become read-only again at once', async () => {
    await restart({ DATABASE_POOL: '1' });
    const owner = await createOwner('organization');
    for (let count = 0; count < 3; count++) {
      await onAllConnections((connection) => connection.query('SET default_transaction_read_only = on'));
      expect((await request('PUT', owner, { name: `Pier ${count}` })).status).toBe(200);
    }
  });

  it('are replaced when a migration has changed the result of their prepared statements', async () => {
    const owner = await createOwner('organization');
    const phone = await createPhone(owner);
    await Promise.all(Array.from({ length: 30 }, () => createPhone(owner)));
    await query('ALTER TABLE phones ALTER COLUMN version TYPE bigint');
    expect((await request('POST', `${owner}/phones`, { digits: '211' })).status).toBe(201);
    expect((await request('PUT', `${owner}/phones/${phone.id}`, { digits: '311' })).status).toBe(200);
  });

  it(
    'are replaced when one is terminated, and what it was doing succeeds',
    { skip: SERVER === undefined },
    async () => {
      await restart({ REQUIRE_API_KEY: 'always' });
      const { id, key } = await createClient();
      const owner = await createOwner('location');
      const phone = await createPhone(owner);
      const organization = owner.split('/', 4).join('/');
      const database = new pg.Client(databaseSettings().DATABASE_URL);
      await database.connect();
      for (const [table, method, path, body, headers = AS_ADMIN] of [
        ['phones', 'GET', `${owner}/phones`],
        ['phones', 'GET', `${owner}/phones/${phone.id}`],
        ['phones', 'POST', `${owner}/phones`, { digits: '211' }],
        [
          'phones',
          'POST',
          `${owner}/phones`,
          { digits: '311' },
          { ...AS_ADMIN, 'idempotency-key': randomUUID() },
        ],
        ['organizations', 'GET', '/v1/organizations'],
        ['organizations', 'GET', organization],
        ['locations', 'GET', `${organization}/locations`],
        ['locations', 'PUT', owner, { name: 'Pier' }],
        ['opportunities', 'GET', `${organization}/opportunities`],
        ['clients', 'GET', '/v1/clients'],
        ['clients', 'GET', `/v1/clients/${id}`],
        ['api_keys', 'GET', organization, undefined, keyHeader(key)],
      ] as const) {
        await database.query('BEGIN');
        await database.query(`LOCK TABLE ${table}`);
        const response = request(method, path, body, headers);
        const terminate = `
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`;
        while ((await query(terminate)).length === 0);
        await database.query('COMMIT');
        expect((await response).status, `${method} ${path}`).toBeLessThan(300);
      }
      await database.end();
      const phones = (await request<Phone[]>('GET', `${owner}/phones`, undefined, AS_ADMIN)).body;
      expect(phones.map(({ digits }) => digits)).toEqual([phone.digits, '211', '311']);
    },
  );
});

import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { afterEach, describe, expect, it } from 'vitest';
import { type ApiResponse, app, AS_ADMIN, expectProblem, type Method, request } from './support/api.js';
import { createClient } from './support/clients.js';
import { createOwner, createPhone } from './support/owners.js';

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
  await query('DROP FUNCTION fail_first_writes CASCADE');
  await query('DROP SEQUENCE attempts');
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

  it('on every attempt returns 503 after five attempts', async () => {
    const write = await prepare();
    await failFirstWrites(table, 1000, '40001');
    const response = await write();
    const hint = ' A retry with the same Idempotency-Key creates nothing twice.';
    const acceptsKey = name.startsWith('POST') && table !== 'clients';
    const detail = `The database is unavailable or too slow. Retry later.${acceptsKey ? hint : ''}`;
    expectProblem(response, 503, detail);
    expect(response.headers['retry-after']).toBe('5');
    expect(await countAttempts()).toBe(5);
  });
});

it('a write that fails for another reason is not retried', async () => {
  const owner = await createOwner('organization');
  await failFirstWrites('phones', 1000, '53100');
  const response = await request('POST', `${owner}/phones`, { digits: '211' });
  expectProblem(response, 503, 'The database has no space left.');
  expect(response.headers['retry-after']).toBe('5');
  expect(await countAttempts()).toBe(1);
});

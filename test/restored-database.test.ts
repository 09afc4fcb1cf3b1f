import { expect, it } from 'vitest';
import dataSource from '../ormconfig.js';
import { ADMIN_API_KEY, databaseSettings, keyHeader } from './support/database.js';
import { send, Service } from './support/service.js';

/** Inserts rows with their IDs, as a restore does. The sequences still begin at 1. */
const ROWS = [
  `INSERT INTO organizations (id, slug, name) OVERRIDING SYSTEM VALUE VALUES (1, 'harbor', 'Harbor')`,
  `INSERT INTO opportunities (id, organization_id, slug, title) OVERRIDING SYSTEM VALUE VALUES (1, 1, 'meals', 'Meals')`,
  `INSERT INTO locations (id, organization_id, name) OVERRIDING SYSTEM VALUE VALUES (1, 1, 'Pier')`,
  `INSERT INTO phones (id, owner_type, owner_id, digits, is_primary) OVERRIDING SYSTEM VALUE
   VALUES (1, 'location', 1, '211', true)`,
  `INSERT INTO clients (id, name, is_admin) OVERRIDING SYSTEM VALUE VALUES (1, 'Desk', false)`,
  `INSERT INTO api_keys (id, client_id, hash, prefix) OVERRIDING SYSTEM VALUE VALUES (1, 1, '', 'phones_')`,
];

/** Each POST with the table to which it adds a row. */
const CREATES = [
  ['organizations', '/organizations', { name: 'Willow' }],
  ['opportunities', '/organizations/1/opportunities', { title: 'Rides' }],
  ['locations', '/organizations/1/locations', { name: 'Hall' }],
  ['phones', '/organizations/1/locations/1/phones', { digits: '711', is_primary: true }],
  ['clients', '/clients', { name: 'Intake' }],
  ['api_keys', '/clients/1/keys', {}],
] as const;

it('while an ID sequence is behind, a POST returns 503 and the log says how to repair it', async () => {
  // The schema, with which the service starts.
  await dataSource.initialize();
  await dataSource.runMigrations();
  for (const sql of ROWS) await dataSource.query(sql);
  await dataSource.destroy();

  const service = new Service(databaseSettings());
  const api = await service.listening();
  const create = (path: string, body: object) =>
    send('POST', api + path, body, keyHeader(ADMIN_API_KEY), AbortSignal.timeout(60_000));
  for (const [, path, body] of CREATES) {
    expect(await create(path, body)).toMatchObject({
      status: 503,
      headers: { 'retry-after': '5' },
      body: {
        detail:
          'A new ID is already in use, so nothing can be created here until the operator repairs the database.',
      },
    });
  }
  // The failed attempts have moved the sequences past the restored rows.
  for (const [, path, body] of CREATES) expect(await create(path, body)).toMatchObject({ status: 201 });
  expect((await send('GET', `${api}/organizations/1/locations/1/phones`)).body).toMatchObject([
    { id: 1, is_primary: false },
    { id: 2, is_primary: true },
  ]);

  const { output } = await service.end('SIGTERM');
  const logged = output.map((line) => JSON.parse(line) as { level: number });
  expect(logged.filter(({ level }) => level >= 40)).toMatchObject(
    CREATES.map(([table]) => ({
      level: 50,
      status: 503,
      msg: expect.stringContaining(
        `returned 503: The ID sequence of ${table} is behind its rows. Run ` +
          `SELECT setval(pg_get_serial_sequence('${table}', 'id'), max(id)) FROM ${table};`,
      ) as string,
    })),
  );
});

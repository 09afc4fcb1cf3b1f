// How the service starts with each kind of DATABASE_URL, database and role.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import dataSource from '../ormconfig.js';
import { StartupError } from '../src/config/startup-error.js';
import { AppDataSource } from '../src/database/app-data-source.js';
import { ADMIN_API_KEY, keyHeader, SERVER, setEnvironment, TIME_LIMITS } from './support/database.js';
import { PostgresqlServer } from './support/postgresql.js';
import { send, Service } from './support/service.js';

const TABLES = 'organizations, opportunities, locations, phones, clients, client_organizations, api_keys';
const GRANT_ALL = `GRANT SELECT, INSERT, UPDATE, DELETE ON ${TABLES}, idempotency_keys, migrations`;

let server: PostgresqlServer;

interface UrlParts {
  user?: string;
  database?: string;
  query?: string;
}

function urlOf({ user = 'postgres', database = 'postgres', query = '' }: UrlParts): string {
  return `postgres://${user}@127.0.0.1:${server.port}/${database}?${query}`;
}

/** Connects to the database and migrates it, as a start of the service does. */
async function start(url: string): Promise<void> {
  setEnvironment({ DATABASE_URL: url });
  const started = new AppDataSource(dataSource.options);
  try {
    await started.initialize();
    await started.runMigrations();
  } finally {
    if (started.isInitialized) await started.destroy();
  }
}

/** Expects that a start fails with this line, which the service prints. */
async function expectStartupError(url: string, line: RegExp): Promise<void> {
  const error: unknown = await start(url).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(StartupError);
  const { message } = error as StartupError;
  expect(message).toMatch(line);
  expect(message).toContain('(DATABASE_URL)');
  expect(message).not.toMatch(/\n|secret/);
}

/** Listens on a port like a database server, but responds to the first bytes of a client in another way. */
async function withServer(respond: (socket: Socket) => void, use: (url: string) => Promise<void>) {
  const other = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', () => {
      respond(socket);
    });
  }).listen(0, '127.0.0.1');
  await once(other, 'listening');
  await use(`postgres://u:secret@127.0.0.1:${(other.address() as AddressInfo).port}/phones`);
  other.close();
}

describe('The service', { skip: SERVER === undefined }, () => {
  beforeAll(async () => {
    server = await PostgresqlServer.create();
    await server.query('CREATE DATABASE migrated');
    await start(urlOf({ database: 'migrated' }));
  });

  afterAll(() => server.remove());

  it.each(['LATIN1', 'SQL_ASCII'])('does not start on a database in %s', async (encoding) => {
    await server.query(`CREATE DATABASE ${encoding} ENCODING '${encoding}' LOCALE 'C' TEMPLATE template0`);
    await expectStartupError(
      urlOf({ database: encoding.toLowerCase() }),
      new RegExp(
        `^Cannot use the database at 127.0.0.1:\\d+/\\S+ .*: its encoding must be UTF8, not ${encoding}$`,
      ),
    );
  });

  it('does not start with a role that lacks a permission, which it names', async () => {
    await server.query('CREATE ROLE clerk LOGIN');
    const migrated = await server.connect('migrated');
    await expectStartupError(
      urlOf({ user: 'clerk' }),
      /^Cannot migrate the database .*: the role must be granted CREATE on schema public$/,
    );
    const clerk = urlOf({ user: 'clerk', database: 'migrated' });
    await expectStartupError(clerk, /^Cannot migrate .*: permission denied for table migrations$/);
    await migrated.query(`${GRANT_ALL} TO clerk`);
    await migrated.query('REVOKE SELECT, DELETE ON phones FROM clerk');
    await expectStartupError(clerk, /^Cannot use .*: the role must be granted SELECT, DELETE on phones$/);
    await migrated.query('REVOKE CONNECT ON DATABASE migrated FROM public');
    await expectStartupError(clerk, /^Cannot use .*: permission denied for database "migrated"$/);
    await migrated.query('GRANT CONNECT ON DATABASE migrated TO public');
    await migrated.end();
  });

  it('does not start with a schema that does not exist, which it names', async () => {
    await expectStartupError(
      urlOf({ query: 'schema=Nowhere' }),
      /^Cannot use the database .*: the role can use no schema of the search_path "Nowhere"$/,
    );
  });

  it('does not start with a wrong password or none, which it does not print', async () => {
    await server.query(`CREATE ROLE guarded LOGIN PASSWORD 'right'`);
    const [row] = await server.query<{ hba_file: string }>('SHOW hba_file');
    await server.query(
      `COPY (VALUES ('local all all trust'), ('host all guarded all scram-sha-256'),
         ('hostssl all postgres all cert'), ('host all all all trust')) TO '${row?.hba_file}'`,
    );
    await server.reload();
    await expectStartupError(
      urlOf({ user: 'guarded:secret' }),
      /^Cannot use the database .*: password authentication failed for user "guarded"$/,
    );
    await expectStartupError(
      urlOf({ user: 'guarded' }),
      /^Cannot use the database .*: the server requires a password$/,
    );
  });

  it('does not start without TLS if sslmode requires it, and verifies the certificate', async () => {
    await expectStartupError(
      urlOf({ query: 'sslmode=require' }),
      /^Cannot use .*: The server does not support SSL connections$/,
    );
    const { certificate, key } = await server.enableTls();
    await expectStartupError(urlOf({ query: 'sslmode=require' }), /^Cannot use .*: self-signed certificate$/);
    // For the user postgres, the server requires a certificate of the client, too.
    const client = `sslcert=${certificate}&sslkey=${key}`;
    await expectStartupError(
      urlOf({ query: `sslrootcert=${certificate}` }),
      /^Cannot use .*: connection requires a valid client certificate$/,
    );
    await start(urlOf({ query: `sslrootcert=${certificate}&${client}`, database: 'migrated' }));
    await start(urlOf({ query: `sslmode=no-verify&${client}`, database: 'migrated' }));
  });

  it('does not start behind a pooler that rejects its session settings', async () => {
    const fields = Buffer.from('SFATAL\0VFATAL\0C08P01\0Munsupported startup parameter: options\0\0');
    const header = Buffer.from([0x45, 0, 0, 0, fields.length + 4]);
    await withServer(
      (socket) => socket.end(Buffer.concat([header, fields])),
      (url) => expectStartupError(url, /^Cannot use .*: unsupported startup parameter: options$/),
    );
  });

  it('does not start on a server with another protocol', async () => {
    await withServer(
      (socket) => socket.end(Buffer.concat([Buffer.from([0x4a, 0, 0, 0, 0x0a]), Buffer.from('8.4.0\0')])),
      (url) => expectStartupError(url, /^Cannot use .*: received invalid response: 4a$/),
    );
  });

  it('starts on a database that is read-only, if no migration is pending', async () => {
    await server.query('ALTER DATABASE migrated SET default_transaction_read_only = on');
    await start(urlOf({ database: 'migrated' }));
    await server.query('ALTER DATABASE migrated RESET default_transaction_read_only');
    await server.query('ALTER DATABASE postgres SET default_transaction_read_only = on');
    await expectStartupError(
      urlOf({}),
      /^Cannot migrate .*: cannot execute CREATE TABLE in a read-only transaction$/,
    );
    const postgres = await server.connect();
    await postgres.query('SET default_transaction_read_only = off');
    await postgres.query('ALTER DATABASE postgres RESET default_transaction_read_only');
    await postgres.end();
  });

  it('connects to a Unix socket', async () => {
    await start(`postgres://postgres@/migrated?host=${server.directory}&port=${server.port}`);
  });

  it('waits for the migrations of another instance, whatever time limits the role has', async () => {
    await server.query('CREATE DATABASE waiting');
    await server.query('CREATE ROLE hasty LOGIN SUPERUSER');
    for (const name of ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']) {
      await server.query(`ALTER ROLE hasty SET ${name} = '1s'`);
    }
    const other = await server.connect('waiting');
    await other.query('SELECT pg_advisory_lock(2110411)');
    const started = start(urlOf({ user: 'hasty', database: 'waiting' }));
    const isWaiting = `
      SELECT FROM pg_stat_activity
      WHERE usename = 'hasty' AND wait_event = 'advisory' AND query_start < clock_timestamp() - interval '1.5s'`;
    while ((await server.query(isWaiting)).length === 0)
      await Promise.race([started, server.query('SELECT')]);
    await other.end();
    await started;
  });

  it('works in a schema of its own, with a role that cannot create tables and has unusual defaults', async () => {
    await server.query('CREATE DATABASE shared');
    const shared = await server.connect('shared');
    await shared.query('CREATE SCHEMA "My app"');
    await start(urlOf({ database: 'shared', query: 'schema=My%20app' }));
    await shared.query('CREATE ROLE foreigner LOGIN');
    const defaults = {
      DateStyle: 'German',
      IntervalStyle: 'sql_standard',
      TimeZone: 'Asia/Tokyo',
      client_encoding: 'LATIN1',
      bytea_output: 'escape',
      standard_conforming_strings: 'off',
      statement_timeout: '1ms',
    };
    for (const [name, value] of Object.entries(defaults)) {
      await shared.query(`ALTER ROLE foreigner SET ${name} = '${value}'`);
    }
    await shared.query('SET search_path = "My app"');
    await shared.query('GRANT USAGE ON SCHEMA "My app" TO foreigner');
    await shared.query(`${GRANT_ALL} TO foreigner`);

    const DATABASE_URL = urlOf({
      user: 'foreigner',
      database: 'shared',
      query: 'search_path=%22My%20app%22',
    });
    const service = new Service({ ...TIME_LIMITS, DATABASE_URL });
    const api = await service.listening();
    expect((await fetch(new URL('/health/ready', api))).status).toBe(200);
    const create = async (path: string, body: object, headers = {}) => {
      const response = await send<{ id: number }>('POST', `${api}${path}`, body, headers);
      expect(response).toMatchObject({ status: 201, body });
      return `${path}/${response.body.id}`;
    };
    const name = 'Тест “日本” 🍞';
    const organization = await create('/organizations', { name });
    expect(await shared.query('SELECT name FROM organizations')).toMatchObject({ rows: [{ name }] });
    for (const owner of [
      organization,
      await create(`${organization}/opportunities`, { title: 'Lunch' }),
      await create(`${organization}/locations`, { name: 'Harbor' }),
    ]) {
      const key = { 'idempotency-key': `"phone of ${owner}"` };
      const phone = await create(`${owner}/phones`, { digits: '211', phone_type: 'é\\日' }, key);
      expect(await create(`${owner}/phones`, { digits: '211', phone_type: 'é\\日' }, key)).toBe(phone);
      expect(await send('PUT', `${api}${phone}`, { digits: '311' })).toMatchObject({ status: 200 });
      expect((await send('GET', `${api}${owner}/phones`)).body).toMatchObject([
        { digits: '311', phone_type: 'é\\日', is_primary: true },
      ]);
      expect(await send('DELETE', `${api}${phone}`)).toMatchObject({ status: 204 });
    }
    const client = await send<{ keys: { created_at: string }[] }>(
      'POST',
      `${api}/clients`,
      { name: 'Desk' },
      keyHeader(ADMIN_API_KEY),
    );
    const createdAt = Date.parse(client.body.keys[0]?.created_at ?? '');
    expect(Math.abs(createdAt - Date.now())).toBeLessThan(3_600_000);
    expect(await shared.query(`SELECT FROM pg_tables WHERE schemaname = 'public'`)).toMatchObject({
      rowCount: 0,
    });
    await shared.end();
    expect((await service.end('SIGTERM')).code).toBe(0);
  });
});

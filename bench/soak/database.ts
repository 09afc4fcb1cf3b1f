import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';

/** An empty database for one run. */
export interface Database {
  engine: 'embedded' | 'postgresql';
  /** The name and version for the report. */
  name: string;
  /** The environment variables that make the service use this database. */
  settings: Record<string, string>;
  drop(): Promise<void>;
}

/** Creates a database on the server of `DATABASE_URL`, or an embedded one if that is not set. */
export function createDatabase(): Promise<Database> {
  const { DATABASE_URL } = process.env;
  return DATABASE_URL ? createOnServer(DATABASE_URL) : createEmbedded();
}

async function createOnServer(server: string): Promise<Database> {
  const name = `phones_soak_${randomBytes(6).toString('hex')}`;
  await query(server, `CREATE DATABASE ${name}`);
  const version = await query(server, 'SHOW server_version');
  return {
    engine: 'postgresql',
    name: `PostgreSQL ${String(version.server_version)}`,
    settings: { DATABASE_URL: Object.assign(new URL(server), { pathname: `/${name}` }).href },
    drop: async () => {
      await query(server, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

async function createEmbedded(): Promise<Database> {
  const directory = await mkdtemp(join(tmpdir(), 'phones-soak-'));
  const { dependencies } = JSON.parse(await readFile('package.json', 'utf8')) as {
    dependencies: Record<string, string>;
  };
  return {
    engine: 'embedded',
    name: `PGlite ${dependencies['@electric-sql/pglite']}, embedded`,
    settings: { DATA_DIR: directory },
    drop: () => rm(directory, { recursive: true }),
  };
}

async function query(server: string, sql: string): Promise<Record<string, unknown>> {
  const client = new pg.Client(server);
  await client.connect();
  const { rows } = await client.query<Record<string, unknown>>(sql).finally(() => client.end());
  return rows[0] ?? {};
}

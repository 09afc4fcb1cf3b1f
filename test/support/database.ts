import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { cp, rm } from 'node:fs/promises';
import pg from 'pg';
import { afterAll, beforeAll, inject } from 'vitest';
import { Environment } from '../../src/config/environment.js';
import { runOnExit } from './run-on-exit.js';
import { newTemporaryDirectory } from './temporary-directory.js';

/** The URL of the PostgreSQL server that the suite uses; undefined when it uses the embedded database. */
export const SERVER = process.env.TEST_DATABASE_URL === '' ? undefined : process.env.TEST_DATABASE_URL;

/** The administrator's API key of every service under test. */
export const ADMIN_API_KEY = 'a-key-of-an-admin-for-the-tests-of-phones';

export function keyHeader(key: string): Record<string, string> {
  return { authorization: `Bearer ${key}` };
}

/** Time limits that do not expire on a busy machine. A test of a time limit sets its own. */
export const TIME_LIMITS = {
  DATABASE_CONNECT_TIMEOUT: '20000',
  DATABASE_STATEMENT_TIMEOUT: '20000',
  DATABASE_LOCK_TIMEOUT: '20000',
  REQUEST_TIMEOUT: '30000',
};

type DatabaseSettings = typeof TIME_LIMITS & { DATABASE_URL?: string; DATA_DIR?: string };

/** The settings for a service that uses the database of this test file, with `TIME_LIMITS`. */
export function databaseSettings(): DatabaseSettings {
  const { DATABASE_URL, DATA_DIR } = process.env;
  return { ...TIME_LIMITS, ...(SERVER === undefined ? { DATA_DIR } : { DATABASE_URL }) };
}

/** Runs a statement on the server, outside the database of this test file. */
export async function onServer(sql: string): Promise<void> {
  const client = new pg.Client(SERVER);
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

/** Copies the empty embedded database. @returns the path of the copy */
export async function newDataDirectory(): Promise<string> {
  const directory = newTemporaryDirectory();
  await cp(inject('embeddedTemplate'), directory, { recursive: true });
  return directory;
}

/**
 * The settings for a service that runs beside the application of this test file; only one process can open an embedded
 * database.
 */
export async function settingsBeside(): Promise<DatabaseSettings> {
  return SERVER === undefined ? { ...TIME_LIMITS, DATA_DIR: await newDataDirectory() } : databaseSettings();
}

/** Sets these settings and resets the others to their defaults, except for the database and `TIME_LIMITS`. */
export function setEnvironment(settings: Partial<Record<keyof Environment, string>> = {}): void {
  const { DATABASE_URL = '', DATA_DIR = '' } = process.env;
  // Variables that are empty rather than absent cannot be set by a .env file of the developer.
  for (const name of Object.keys(new Environment())) process.env[name] = '';
  Object.assign(process.env, {
    DATABASE_URL,
    DATA_DIR,
    ...TIME_LIMITS,
    LOG_LEVEL: 'fatal',
    ADMIN_API_KEY,
    ...settings,
  });
}

// Each test file has its own database, which is dropped at the end of the file.
Object.assign(process.env, { DATABASE_URL: '', DATA_DIR: '' });
setEnvironment();

const name = `phones_test_${randomBytes(6).toString('hex')}`;
let removeDatabase: (() => Promise<void>) | undefined;

/** A program that drops the database `argv[2]` on the server `argv[1]`. */
const DROP_DATABASE = `
  import pg from 'pg';
  const client = new pg.Client(process.argv[1]);
  await client.connect();
  await client.query('DROP DATABASE IF EXISTS ' + process.argv[2] + ' WITH (FORCE)');
  await client.end();`;

async function createDatabase(): Promise<void> {
  if (SERVER === undefined) {
    const directory = await newDataDirectory();
    process.env.DATA_DIR = directory;
    removeDatabase = () => rm(directory, { recursive: true });
  } else {
    const program = '"$1" --input-type=module --eval "$2" "$3" "$4"';
    const cancelDrop = runOnExit(program, process.execPath, DROP_DATABASE, SERVER, name);
    await onServer(`CREATE DATABASE ${name}`);
    process.env.DATABASE_URL = Object.assign(new URL(SERVER), { pathname: `/${name}` }).href;
    removeDatabase = async () => {
      await onServer(`DROP DATABASE ${name} WITH (FORCE)`);
      cancelDrop();
    };
  }
}

beforeAll(createDatabase);
afterAll(() => removeDatabase?.());

// When Vitest is interrupted, the process of a test file would otherwise continue without it.
for (const event of ['disconnect', 'SIGTERM'])
  process.once(event, () => process.kill(process.pid, 'SIGKILL'));

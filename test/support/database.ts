import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, inject } from 'vitest';
import { Environment } from '../../src/config/environment.js';

/** The PostgreSQL server that the suite runs on; undefined when it runs on the embedded database. */
export const SERVER = process.env.TEST_DATABASE_URL === '' ? undefined : process.env.TEST_DATABASE_URL;

/** The key with which the tests arrange what they need. Each service under test has it. */
export const ADMIN_API_KEY = 'a-key-of-an-admin-for-tests';

export function keyHeader(key: string): Record<string, string> {
  return { authorization: `Bearer ${key}` };
}

/** The settings under which a service opens the database of this test file. */
export function databaseSettings(): { DATABASE_URL?: string; DATA_DIR?: string } {
  const { DATABASE_URL, DATA_DIR } = process.env;
  return SERVER === undefined ? { DATA_DIR } : { DATABASE_URL };
}

/** Runs a statement on the server that the test databases are made on. */
export async function onServer(sql: string): Promise<void> {
  const client = new pg.Client(SERVER);
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

/** A copy of the empty embedded database. */
export async function newDataDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'phones-test-'));
  await cp(inject('embeddedTemplate'), directory, { recursive: true });
  return directory;
}

/** The settings of a service beside the application of this test file: an embedded database is open in one process. */
export async function settingsBeside(): Promise<{ DATABASE_URL?: string; DATA_DIR?: string }> {
  return SERVER === undefined ? { DATA_DIR: await newDataDirectory() } : databaseSettings();
}

/** Sets these settings, and those that are not given to their defaults; the database stays. */
export function setEnvironment(settings: Partial<Record<keyof Environment, string>> = {}): void {
  const { DATABASE_URL = '', DATA_DIR = '' } = process.env;
  // Empty, not absent, so that a .env of the developer's cannot fill them in.
  for (const name of Object.keys(new Environment())) process.env[name] = '';
  Object.assign(process.env, {
    DATABASE_URL,
    DATA_DIR,
    // A machine that is busy with other tests is no fault.
    DATABASE_CONNECT_TIMEOUT: '4000',
    DATABASE_STATEMENT_TIMEOUT: '4000',
    LOG_LEVEL: 'fatal',
    ADMIN_API_KEY,
    ...settings,
  });
}

// Each test file has a database of its own, which goes when the file is done.
Object.assign(process.env, { DATABASE_URL: '', DATA_DIR: '' });
setEnvironment();

if (SERVER === undefined) {
  beforeAll(async () => {
    process.env.DATA_DIR = await newDataDirectory();
  });
  afterAll(() => rm(process.env.DATA_DIR ?? '', { recursive: true }));
} else {
  const name = `phones_test_${randomBytes(6).toString('hex')}`;
  beforeAll(async () => {
    await onServer(`CREATE DATABASE ${name}`);
    process.env.DATABASE_URL = Object.assign(new URL(SERVER), { pathname: `/${name}` }).href;
  });
  afterAll(() => onServer(`DROP DATABASE ${name} WITH (FORCE)`));
}

import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { Environment } from '../src/config/environment.js';

/** The default of each setting as text; empty if there is none. */
const DEFAULTS = new Map(
  Object.entries(new Environment()).map(([name, value]: [string, string | number | undefined]) => [
    name,
    String(value ?? ''),
  ]),
);

/** Finds all names and values of a kind in a file. */
async function read(file: string, pattern: RegExp): Promise<Map<string, string>> {
  const matches = (await readFile(file, 'utf8')).matchAll(pattern);
  return new Map([...matches].map(([, name = '', value = '']) => [name, value]));
}

describe('Each setting', () => {
  it('is in .env.example, with its default', async () => {
    const example = await read('.env.example', /^([A-Z_]+)=(.*)$/gm);
    expect(example.get('POSTGRES_PASSWORD')).toBe('');
    example.delete('POSTGRES_PASSWORD');
    expect(example).toEqual(DEFAULTS);
  });

  it('is in the README, with its default', async () => {
    const table = await read('README.md', /^\| `([A-Z_]+)` +\| (?:none|`(.*)`) +\|/gm);
    expect(table).toEqual(new Map(DEFAULTS).set('REQUIRE_API_KEY', 'never'));
  });

  it('reaches the container from the environment or from .env, with its default', async () => {
    const compose = await read('docker-compose.yml', /^ {6}([A-Z_]+): \$\{\1:-(.*)\}$/gm);
    expect(await readFile('docker-compose.yml', 'utf8')).toMatch(/^ {6}DATABASE_URL: postgres:/m);
    expect(await readFile('Dockerfile', 'utf8')).toMatch(
      /^ENV .*HOST=0\.0\.0\.0 PORT=3000 DATA_DIR=\/data$/m,
    );
    const expected = new Map(DEFAULTS).set('REQUIRE_API_KEY', 'writes').set('ALLOWED_HOSTS', 'localhost');
    for (const name of ['HOST', 'PORT', 'DATA_DIR', 'DATABASE_URL']) expected.delete(name);
    expect(compose).toEqual(expected);
  });
});

it('The health check of the image is liveness, so that an outage of the database restarts nothing', async () => {
  const checks = await read('Dockerfile', /(HEALTHCHECK)[^]+?(\/health\/\w+)/g);
  expect(checks).toEqual(new Map([['HEALTHCHECK', '/health/live']]));
});

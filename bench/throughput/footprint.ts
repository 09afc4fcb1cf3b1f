import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type DatabaseServer, SERVICE } from './database.js';
import { generateLoad } from './load.js';
import { type LoadRequest, PHONES_PER_OWNER } from './operations.js';
import { markdownTable } from '../markdown-table.js';
import { median } from './report.js';
import { TargetProcess } from './target.js';

/** How many starts are timed for each database. */
const STARTS = 5;

/** The duration of the load before the memory is read again, in seconds. */
const LOAD_SECONDS = 10;

const ORGANIZATIONS = 1000;

/** How many of the largest packages are listed. */
const LISTED_PACKAGES = 8;

/** Measures the startup time and the memory of the service and the size of its production install. */
export async function measureFootprint(server: DatabaseServer): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'phones-bench-'));
  try {
    const database = await server.createDatabase(ORGANIZATIONS);
    const engines = {
      'embedded, first start': () => ({ DATA_DIR: join(directory, String(performance.now())) }),
      'embedded, later': () => ({ DATA_DIR: join(directory, 'data') }),
      PostgreSQL: () => ({ DATABASE_URL: database }),
    };
    // Creates the database that the later starts open.
    await (await TargetProcess.start(SERVICE, engines['embedded, later']())).stop();
    const rows: string[][] = [];
    for (const [name, settings] of Object.entries(engines))
      rows.push([name, ...(await measureStart(settings))]);
    const header = [
      'database',
      'from node to the first response (s)',
      'memory idle (MiB)',
      'under load (MiB)',
    ];
    return `${markdownTable(header, rows)}\n\n${await measureInstallSize(directory)}`;
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** @returns the time to the first response, the resident memory after it, and the memory after listing phones over 32 connections */
async function measureStart(settings: () => Record<string, string>): Promise<string[]> {
  const times: number[] = [];
  const idle: number[] = [];
  let loaded = '';
  for (let count = 1; count <= STARTS; count++) {
    const start = performance.now();
    const service = await TargetProcess.start(SERVICE, settings());
    await fetch(`${service.origin}/v1/organizations`);
    times.push((performance.now() - start) / 1000);
    idle.push(await service.memory());
    if (count === STARTS) {
      const path = await createOrganizationWithPhones(service.origin);
      const requests: LoadRequest[] = [{ method: 'GET', path: `${path}/phones` }];
      await generateLoad({ origin: service.origin, requests, connections: 32, seconds: LOAD_SECONDS });
      loaded = (await service.memory()).toFixed(0);
    }
    await service.stop();
  }
  return [median(times).toFixed(2), median(idle).toFixed(0), loaded];
}

/** @returns the path of the new organization */
async function createOrganizationWithPhones(origin: string): Promise<string> {
  const create = (path: string, body: object) =>
    fetch(origin + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
  const created = await create('/v1/organizations', { name: 'Harbor' });
  const path = created.headers.get('location') ?? '';
  for (let count = 1; count <= PHONES_PER_OWNER; count++)
    await create(`${path}/phones`, { digits: `650-555-000${count}`, phone_type: 'Main' });
  return path;
}

/** Installs the production dependencies and returns a sentence about their size. */
async function measureInstallSize(directory: string): Promise<string> {
  const run = promisify(execFile);
  for (const file of ['package.json', 'package-lock.json']) await cp(file, join(directory, file));
  await run('npm', ['ci', '--omit=dev', '--no-audit', '--no-fund'], { cwd: directory });
  const { stdout } = await run('du', ['-m', '--max-depth=2', 'node_modules'], { cwd: directory });
  const sizes = stdout
    .trim()
    .split('\n')
    .map((line) => line.split('\t') as [size: string, path: string]);
  sizes.sort(([a], [b]) => Number(b) - Number(a));
  // Leave out scope directories and directories inside a package.
  const [[total] = [''], ...packages] = sizes.filter(
    ([, path]) => !/^node_modules\/(@[^/]+|[^@/]+\/.+)$/.test(path),
  );
  const largest = packages
    .slice(0, LISTED_PACKAGES)
    .map(([size, path]) => `${path.slice('node_modules/'.length)} ${size}`);
  return `The production install takes ${total} MB; its largest packages: ${largest.join(', ')}.`;
}

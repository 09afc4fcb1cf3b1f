import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Target } from './target.js';
import { type Server, SERVICE } from './database.js';
import { generateLoad } from './load.js';
import { type LoadRequest, PHONES_PER_OWNER } from './operations.js';
import { markdownTable } from '../markdown-table.js';
import { median } from './report.js';

/** How often each start is timed. */
const STARTS = 5;

/** How long the load lasts under which memory is read, in seconds. */
const LOAD_SECONDS = 10;

const ORGANIZATIONS = 1000;

/** How many of the packages are named. */
const LARGEST = 8;

/** How long the service takes to start, how much memory it has, and how large its production install is. */
export async function footprint(server: Server): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'phones-bench-'));
  try {
    const database = await server.createDatabase(ORGANIZATIONS);
    const engines = {
      'embedded, first start': () => ({ DATA_DIR: join(directory, String(performance.now())) }),
      'embedded, later': () => ({ DATA_DIR: join(directory, 'data') }),
      PostgreSQL: () => ({ DATABASE_URL: database }),
    };
    // So that it is there already.
    await (await Target.start(SERVICE, engines['embedded, later']())).end();
    const rows: string[][] = [];
    for (const [name, settings] of Object.entries(engines))
      rows.push([name, ...(await measureStart(settings))]);
    const header = ['database', 'from node to the first answer (s)', 'memory idle (MiB)', 'under load (MiB)'];
    return `${markdownTable(header, rows)}\n\n${await installSize(directory)}`;
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** @returns the time to the first answer, resident memory after it, and under a load of lists at 32 connections */
async function measureStart(settings: () => Record<string, string>): Promise<string[]> {
  const times: number[] = [];
  const idle: number[] = [];
  let loaded = '';
  for (let count = 1; count <= STARTS; count++) {
    const start = performance.now();
    const contestant = await Target.start(SERVICE, settings());
    await fetch(`${contestant.origin}/v1/organizations`);
    times.push((performance.now() - start) / 1000);
    idle.push(await contestant.memory());
    if (count === STARTS) {
      const path = await createOrganization(contestant.origin);
      const requests: LoadRequest[] = [{ method: 'GET', path: `${path}/phones` }];
      await generateLoad({ origin: contestant.origin, requests, connections: 32, seconds: LOAD_SECONDS });
      loaded = (await contestant.memory()).toFixed(0);
    }
    await contestant.end();
  }
  return [median(times).toFixed(2), median(idle).toFixed(0), loaded];
}

/** @returns the path of a new organization, which has phones */
async function createOrganization(origin: string): Promise<string> {
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

/** Installs what the service needs, and no more, and says how large that is. */
async function installSize(directory: string): Promise<string> {
  const run = promisify(execFile);
  for (const file of ['package.json', 'package-lock.json']) await cp(file, join(directory, file));
  await run('npm', ['ci', '--omit=dev', '--no-audit', '--no-fund'], { cwd: directory });
  const { stdout } = await run('du', ['-m', '--max-depth=2', 'node_modules'], { cwd: directory });
  const sizes = stdout
    .trim()
    .split('\n')
    .map((line) => line.split('\t') as [size: string, path: string]);
  sizes.sort(([a], [b]) => Number(b) - Number(a));
  // A scope is not a package.
  const [[total] = [''], ...packages] = sizes.filter(
    ([, path]) => !/^node_modules\/(@[^/]+|[^@/]+\/.+)$/.test(path),
  );
  const largest = packages
    .slice(0, LARGEST)
    .map(([size, path]) => `${path.slice('node_modules/'.length)} ${size}`);
  return `The production install takes ${total} MB; its largest packages: ${largest.join(', ')}.`;
}

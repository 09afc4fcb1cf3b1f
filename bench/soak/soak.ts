import { mkdir, writeFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createDatabase } from './database.js';
import type { Sample } from './figures.js';
import { HttpClient } from './http-client.js';
import { terminalHeader, terminalRow, toMarkdown, toSvg } from './report.js';
import { ServiceProcess } from './service.js';
import { SimulatedClient } from './simulated-client.js';

const CLIENTS = 32;

/** The time between two samples, in seconds. A short run uses a shorter interval, so that it takes 20 samples too. */
const INTERVAL = 5;

const ADMIN_API_KEY = 'a-key-of-an-admin-for-the-soak-run';

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    interruption.abort(new Error(`Interrupted by ${signal}.`));
  });
}

try {
  const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } });
  const seconds = 60 * Number(values.minutes);
  if (!(seconds > 0)) throw new Error('--minutes must be a number above 0.');
  await soak(seconds);
} catch (error) {
  // Ctrl+C also stops the service, and the requests that then fail are not worth a message.
  const { message } = (interruption.signal.reason ?? error) as Error;
  console.error(message);
  process.exitCode = 1;
}

async function soak(seconds: number): Promise<void> {
  const database = await createDatabase();
  try {
    const service = await ServiceProcess.start({
      ...database.settings,
      ADMIN_API_KEY,
      REQUIRE_API_KEY: 'always',
    });
    const samples = await runClients(service, seconds).finally(() => service.stop());
    const title = `Soak run on ${database.name}`;
    const name = `soak-${database.engine}`;
    await mkdir('bench/results', { recursive: true });
    await writeFile(`bench/results/${name}.svg`, toSvg(title, samples));
    await writeFile(`bench/results/${name}.md`, await toMarkdown(title, `${name}.svg`, samples));
    console.log(`Every response was as expected. See bench/results/${name}.md`);
  } finally {
    await database.drop();
  }
}

/**
 * Runs the simulated clients for a time and takes samples.
 *
 * @throws Error at the first unexpected response
 */
async function runClients(service: ServiceProcess, seconds: number): Promise<Sample[]> {
  const http = new HttpClient(service.origin, await createApiKey(service));
  const clients = Array.from({ length: CLIENTS }, () => new SimulatedClient(http));
  await Promise.all(clients.map((client) => client.createOrganizations()));
  http.resetTraffic();

  const samples: Sample[] = [];
  const end = new AbortController();
  const work = Promise.all(clients.map((client) => client.run(end.signal)));
  const start = performance.now();
  const pause = 1000 * Math.min(INTERVAL, seconds / 20);
  console.log(terminalHeader());
  try {
    for (let last = start; last + pause <= start + 1000 * seconds;) {
      await Promise.race([setTimeout(pause, undefined, { signal: interruption.signal }), work]);
      const now = performance.now();
      const sample = {
        seconds: (now - start) / 1000,
        interval: (now - last) / 1000,
        traffic: http.resetTraffic(),
        process: await service.figures(),
        openFiles: await service.openFiles(),
        phones: clients.reduce((sum, { phoneCount }) => sum + phoneCount, 0),
      };
      samples.push(sample);
      console.log(terminalRow(sample));
      last = now;
    }
  } finally {
    end.abort();
  }
  await work;
  await Promise.all(clients.map((client) => client.checkAllPhones()));
  return samples;
}

async function createApiKey({ origin }: ServiceProcess): Promise<string> {
  const admin = new HttpClient(origin, ADMIN_API_KEY);
  const client = { name: 'Soak run', is_admin: true };
  return (await admin.send<{ key: string }>(201, 'POST', '/v1/clients', client)).key;
}

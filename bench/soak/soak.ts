import { mkdir, writeFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Caller } from './caller.js';
import { Client } from './client.js';
import { createDatabase } from './database.js';
import type { Sample } from './figures.js';
import { heading, line, toMarkdown, toSvg } from './report.js';
import { Service } from './service.js';

const CALLERS = 32;

/** The time between two samples, in seconds. A short run takes 20 samples all the same. */
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
  // An interruption reaches the service, too, whose refusals then are no news.
  const { message } = (interruption.signal.reason ?? error) as Error;
  console.error(message);
  process.exitCode = 1;
}

async function soak(seconds: number): Promise<void> {
  const database = await createDatabase();
  try {
    const service = await Service.start({ ...database.settings, ADMIN_API_KEY, REQUIRE_API_KEY: 'always' });
    const samples = await watch(service, seconds).finally(() => service.end());
    const title = `Soak run on ${database.name}`;
    const name = `soak-${database.engine}`;
    await mkdir('bench/results', { recursive: true });
    await writeFile(`bench/results/${name}.svg`, toSvg(title, samples));
    await writeFile(`bench/results/${name}.md`, await toMarkdown(title, `${name}.svg`, samples));
    console.log(`Every answer was as it had to be. See bench/results/${name}.md`);
  } finally {
    await database.drop();
  }
}

/**
 * Lets the callers work for a time, and takes samples meanwhile.
 *
 * @throws Error at the first answer that is not what it must be
 */
async function watch(service: Service, seconds: number): Promise<Sample[]> {
  const client = new Client(service.origin, await createApiKey(service));
  const callers = Array.from({ length: CALLERS }, () => new Caller(client));
  await Promise.all(callers.map((caller) => caller.createOrganizations()));
  client.takeTraffic();

  const samples: Sample[] = [];
  const end = new AbortController();
  const work = Promise.all(callers.map((caller) => caller.run(end.signal)));
  const start = performance.now();
  const pause = 1000 * Math.min(INTERVAL, seconds / 20);
  console.log(heading());
  try {
    for (let last = start; last + pause <= start + 1000 * seconds;) {
      await Promise.race([setTimeout(pause, undefined, { signal: interruption.signal }), work]);
      const now = performance.now();
      const sample = {
        seconds: (now - start) / 1000,
        interval: (now - last) / 1000,
        traffic: client.takeTraffic(),
        inside: await service.figures(),
        openFiles: await service.openFiles(),
        phones: callers.reduce((sum, { phones }) => sum + phones, 0),
      };
      samples.push(sample);
      console.log(line(sample));
      last = now;
    }
  } finally {
    end.abort();
  }
  await work;
  await Promise.all(callers.map((caller) => caller.checkAll()));
  return samples;
}

async function createApiKey({ origin }: Service): Promise<string> {
  const admin = new Client(origin, ADMIN_API_KEY);
  const client = { name: 'Soak run', is_admin: true };
  return (await admin.send<{ key: string }>(201, 'POST', '/v1/clients', client)).key;
}

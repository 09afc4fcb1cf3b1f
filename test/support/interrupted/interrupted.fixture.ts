import { appendFileSync } from 'node:fs';
import { it } from 'vitest';
import { databaseSettings, newDataDirectory } from '../database.js';
import { Service } from '../service.js';

const { SCENARIO, REPORT = '' } = process.env;

/** Starts a service that is not a child of this process but a grandchild. */
function start(): Service {
  const service = new Service(databaseSettings(), undefined, undefined, ['sh', '-c', '"$@" & wait', 'sh']);
  appendFileSync(REPORT, `group ${service.pid}\n`);
  return service;
}

it.runIf(SCENARIO === 'killed')('never ends', async () => {
  await start().listening();
  const { DATA_DIR, DATABASE_URL = '' } = process.env;
  appendFileSync(REPORT, `database ${DATABASE_URL.split('/').at(-1)}\ndirectory ${DATA_DIR}\n`);
  appendFileSync(REPORT, `directory ${await newDataDirectory()}\nready\n`);
  await new Promise(() => undefined);
});

it.runIf(SCENARIO === 'timeout')(
  'runs out of time, and starts further services in the background',
  async () => {
    for (;;) await start().end();
  },
  1,
);

import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { beforeAll, it } from 'vitest';
import dataSource from '../ormconfig.js';
import { request } from './support/api.js';
import { SERVER } from './support/database.js';
import { describeExchanges, type Exchange, linearize } from './support/linearizability.js';
import { Model, type ModelRequest } from './support/model.js';
import {
  expectRulesKept,
  expectSamePhones,
  noteCreated,
  observed,
  PARAMETERS,
  startRun,
  TEST_OPTIONS,
} from './support/model-run.js';
import {
  collidingRequests,
  type HttpRequest,
  collidingLists,
  type PlannedRequest,
  type Run,
  toHttp,
} from './support/random-requests.js';
import { send, Service } from './support/service.js';

/*
 * Sends random batches of concurrent requests and expects that they are linearizable: in some order, one at a time, the
 * model (support/model.ts) returns the same responses and ends with the same phones.
 * `MODEL_RUNS=1000 npx vitest run test/interleavings.test.ts` runs 1000 series of batches instead of 50.
 */

type Send = (toSecond: boolean, request: HttpRequest) => Promise<{ status: number; body: unknown }>;

/** A request in a batch. */
class ConcurrentRequest {
  constructor(
    readonly planned: PlannedRequest,
    /** When the request is sent, in milliseconds after the start of the batch. */
    readonly delay: number,
    /** Whether it is sent to the second of two services. */
    readonly toSecond: boolean,
  ) {}

  toString(): string {
    return `\n  ${this.toSecond ? 'second' : 'first'} service, ${this.delay} ms: ${this.planned.toString()}`;
  }
}

/** A series of batches that are sent one after the other. */
const series = fc.oneof(
  ...collidingRequests.map((planned) => {
    const concurrent = fc
      .record({ planned, delay: fc.nat(3), toSecond: fc.boolean() })
      .map(({ planned, delay, toSecond }) => new ConcurrentRequest(planned, delay, toSecond));
    const batch = fc.array(concurrent, { minLength: 1, maxLength: 5 });
    return fc.array(batch, { minLength: 1, maxLength: 10 });
  }),
);

/** Delays commits by up to 4 ms, so that more transactions overlap. The embedded database runs only one at a time. */
async function delayCommits(): Promise<void> {
  await dataSource.query(`
    CREATE FUNCTION delay_commit() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(random() * 0.004); RETURN NULL; END $$`);
  for (const table of ['organizations', 'opportunities', 'locations', 'phones']) {
    await dataSource.query(`
      CREATE CONSTRAINT TRIGGER delay_commit AFTER INSERT OR UPDATE OR DELETE ON ${table}
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION delay_commit()`);
  }
}

if (SERVER !== undefined) beforeAll(delayCommits);

async function expectLinearizable(send: Send): Promise<void> {
  let clock = 0;
  const exchange = async (run: Run, request: ModelRequest, toSecond = false): Promise<Exchange> => {
    const sentAt = clock++;
    const response = observed(await send(toSecond, toHttp(request)));
    return { request, response, newId: noteCreated(run, response), sentAt, receivedAt: clock++ };
  };
  const sendBatch = async (batch: ConcurrentRequest[], run: Run, model: Model): Promise<Exchange[]> => {
    const exchanges = await Promise.all(
      batch.map(async ({ planned, delay, toSecond }) => {
        const request = planned.resolve(run, model);
        if (delay > 0) await setTimeout(delay);
        return exchange(run, request, toSecond);
      }),
    );
    for (const list of collidingLists) exchanges.push(await exchange(run, list.resolve(run, model)));
    return exchanges;
  };

  await fc.assert(
    fc.asyncProperty(series, async (batches) => {
      const run = await startRun();
      let model = new Model([...run.owners.values()]);
      for (const batch of batches) {
        const exchanges = await sendBatch(batch, run, model);
        await expectRulesKept();
        const after = linearize(model, exchanges);
        if (after === undefined) throw new Error(describeExchanges(model, exchanges));
        await expectSamePhones(after);
        model = after;
      }
    }),
    PARAMETERS,
  );
}

it('concurrent requests are linearizable', TEST_OPTIONS, () =>
  expectLinearizable((_, { method, url, body }) => request(method, url, body)),
);

it(
  'concurrent requests to two services on one database are linearizable',
  { ...TEST_OPTIONS, skip: SERVER === undefined },
  async () => {
    const [first, second] = await Promise.all([new Service().listening(), new Service().listening()]);
    await expectLinearizable((toSecond, { method, url, body }) =>
      send(method, new URL(url, toSecond ? second : first).href, body),
    );
  },
);

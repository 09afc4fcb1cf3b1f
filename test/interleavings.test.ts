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
 * Sends random batches of requests at once, and expects that they are linearizable: in some order the model of the
 * rules (support/model.ts), asked one by one, gives all the answers that were received and ends with the same phones.
 * `MODEL_RUNS=1000 npx vitest run test/interleavings.test.ts` tries 1000 series of batches, not 50.
 */

type Send = (toSecond: boolean, request: HttpRequest) => Promise<{ status: number; body: unknown }>;

/** A request of a batch. */
class ConcurrentRequest {
  constructor(
    readonly planned: PlannedRequest,
    /** How long after the start of the batch it is sent, in milliseconds. */
    readonly delay: number,
    /** To which of two services it goes. */
    readonly toSecond: boolean,
  ) {}

  toString(): string {
    return `\n  ${this.toSecond ? 'second' : 'first'} service, ${this.delay} ms: ${this.planned.toString()}`;
  }
}

/** Batches of requests, one after the other. */
const series = fc.oneof(
  ...collidingRequests.map((planned) => {
    const concurrent = fc
      .record({ planned, delay: fc.nat(3), toSecond: fc.boolean() })
      .map(({ planned, delay, toSecond }) => new ConcurrentRequest(planned, delay, toSecond));
    const batch = fc.array(concurrent, { minLength: 1, maxLength: 5 });
    return fc.array(batch, { minLength: 1, maxLength: 10 });
  }),
);

/** Lets transactions take up to 4 ms longer before they commit, so that more of them meet. The embedded database runs one at a time. */
async function slowCommitsDown(): Promise<void> {
  await dataSource.query(`
    CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(random() * 0.004); RETURN NULL; END $$`);
  for (const table of ['organizations', 'opportunities', 'locations', 'phones']) {
    await dataSource.query(`
      CREATE CONSTRAINT TRIGGER linger AFTER INSERT OR UPDATE OR DELETE ON ${table}
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION linger()`);
  }
}

if (SERVER !== undefined) beforeAll(slowCommitsDown);

async function expectLinearizable(send: Send): Promise<void> {
  let clock = 0;
  const exchange = async (run: Run, request: ModelRequest, toSecond = false): Promise<Exchange> => {
    const sent = clock++;
    const answer = observed(await send(toSecond, toHttp(request)));
    return { request, answer, newId: noteCreated(run, answer), sent, answered: clock++ };
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

it('concurrent requests are answered as if they came one after the other', TEST_OPTIONS, () =>
  expectLinearizable((_, { method, url, body }) => request(method, url, body)),
);

it(
  'so are those to two services that share a server',
  { ...TEST_OPTIONS, skip: SERVER === undefined },
  async () => {
    const [first, second] = await Promise.all([new Service().listening(), new Service().listening()]);
    await expectLinearizable((toSecond, { method, url, body }) =>
      send(method, new URL(url, toSecond ? second : first).href, body),
    );
  },
);

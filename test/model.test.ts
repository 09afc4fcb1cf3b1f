import fc from 'fast-check';
import { expect, it } from 'vitest';
import { request } from './support/api.js';
import { Model, type ModelResponse, type ModelRequest } from './support/model.js';
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
  anyRequests,
  type PlannedRequest,
  requestLine,
  type Run,
  toHttp,
} from './support/random-requests.js';

/*
 * Sends random requests, one after the other, to the service and to a model of its rules (support/model.ts), and
 * expects the same of both. `MODEL_RUNS=1000 npx vitest run test/model.test.ts` tries 1000 sequences, not 50.
 */

class Command implements fc.AsyncCommand<Model, Run> {
  constructor(private readonly planned: PlannedRequest) {}

  check(): boolean {
    return true;
  }

  async run(model: Model, run: Run): Promise<void> {
    const planned = this.planned.resolve(run, model);
    const answer = await send(planned);
    const newId = noteCreated(run, answer);
    expect(answer, requestLine(planned)).toEqual(model.answer(planned, newId));

    const list: ModelRequest = { operation: 'list', owner: planned.owner };
    expect(await send(list), requestLine(list)).toEqual(model.answer(list, 0));
    await expectRulesKept();
    await expectSamePhones(model);
  }

  toString(): string {
    return this.planned.toString();
  }
}

async function send(planned: ModelRequest): Promise<ModelResponse> {
  const { method, url, body } = toHttp(planned);
  return observed(await request(method, url, body));
}

it('answers any sequence of requests as the rules say, and keeps what they say', TEST_OPTIONS, async () => {
  const sequences = fc.commands([anyRequests.map((planned) => new Command(planned))], {
    maxCommands: 50,
    size: 'max',
  });
  await fc.assert(
    fc.asyncProperty(sequences, async (commands) => {
      const run = await startRun();
      const setup = () => ({ model: new Model([...run.owners.values()]), real: run });
      await fc.asyncModelRun(setup, commands);
    }),
    PARAMETERS,
  );
});

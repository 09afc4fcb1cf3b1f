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
 * Sends sequences of random requests to the service and to a model of its rules (support/model.ts), and expects the
 * same responses. `MODEL_RUNS=1000 npx vitest run test/model.test.ts` runs 1000 sequences instead of 50.
 */

class Command implements fc.AsyncCommand<Model, Run> {
  constructor(private readonly planned: PlannedRequest) {}

  check(): boolean {
    return true;
  }

  async run(model: Model, run: Run): Promise<void> {
    const planned = this.planned.resolve(run, model);
    const response = await send(planned);
    const newId = noteCreated(run, response);
    expect(response, requestLine(planned)).toEqual(model.respond(planned, newId));

    const list: ModelRequest = { operation: 'list', owner: planned.owner };
    expect(await send(list), requestLine(list)).toEqual(model.respond(list, 0));
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

it(
  'the service returns the same responses and stores the same phones as the model',
  TEST_OPTIONS,
  async () => {
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
  },
);

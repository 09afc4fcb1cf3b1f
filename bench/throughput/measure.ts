import { generateLoad, type LoadResult } from './load.js';
import { OPERATIONS, type OperationName } from './operations.js';
import type { Target } from './target.js';

/** The figures of one target, operation and number of connections in one round. */
export interface Figures extends LoadResult {
  /** The processor time of the target's process, in seconds per 1,000 requests. */
  processorTime: number;
  /** The resident memory of the target's process after the load, in MiB. */
  memory: number;
}

export interface Measurement {
  operation: OperationName;
  connections: number;
  /** The name of the target. */
  target: string;
  /** One item for each round. */
  rounds: Figures[];
}

export interface Plan {
  operations: OperationName[];
  connections: number[];
  rounds: number;
  /** The duration of each load, in seconds. */
  seconds: number;
}

/** How many different requests are generated for each load. */
const REQUESTS = 20_000;

/** The duration of the load before the first round, during which V8 compiles the hot code, in seconds. */
const WARM_UP_SECONDS = 2;

/** Measures each operation and number of connections once per round, with the targets taking turns. Logs its progress. */
export async function measure(targets: Target[], plan: Plan): Promise<Measurement[]> {
  const { operations, connections, rounds } = plan;
  for (const operation of operations) {
    for (const target of targets) await measureLoad(target, operation, 32, WARM_UP_SECONDS);
    console.log(`warmed up: ${operation}`);
  }
  const measurements = operations.flatMap((operation) =>
    connections.flatMap((connections) =>
      targets.map((target) => ({ operation, connections, target, rounds: [] as Figures[] })),
    ),
  );
  for (let round = 1; round <= rounds; round++) {
    for (const { operation, connections, target, rounds: results } of inRoundOrder(measurements, round)) {
      const figures = await measureLoad(target, operation, connections, plan.seconds);
      results.push(figures);
      console.log(
        [
          `round ${round}: ${operation}, ${connections} connections, ${target.name}:`,
          `${figures.requests.toFixed(0)} requests per second, p99 ${figures.p99.toFixed(1)} ms`,
        ].join(' '),
      );
    }
  }
  return measurements.map(({ target, ...measurement }) => ({ ...measurement, target: target.name }));
}

/** Reverses the order in every second round, so that no measurement always follows the same other one. */
function inRoundOrder<Item>(measurements: Item[], round: number): Item[] {
  return round % 2 === 0 ? measurements.toReversed() : measurements;
}

async function measureLoad(
  target: Target,
  operation: OperationName,
  connections: number,
  seconds: number,
): Promise<Figures> {
  const requests = Array.from({ length: REQUESTS }, () => OPERATIONS[operation](target.data));
  const before = await target.process.processorTime();
  const result = await generateLoad({ origin: target.process.origin, requests, connections, seconds });
  const processorTime = (await target.process.processorTime()) - before;
  return {
    ...result,
    processorTime: processorTime / ((result.requests * seconds) / 1000),
    memory: await target.process.memory(),
  };
}

import type { Target } from './target.js';
import { generateLoad, type LoadResult } from './load.js';
import { type Data, OPERATIONS, type OperationName } from './operations.js';

/** A running program, and what is in its database. */
export interface Program {
  name: string;
  contestant: Target;
  data: Data;
}

export interface Figures extends LoadResult {
  /** Of the program's process, in seconds for 1,000 requests. */
  processorTime: number;
  /** Resident, after the load, in MiB. */
  memory: number;
}

/** What one program was measured to do, once for each round. */
export interface Measurement {
  operation: OperationName;
  connections: number;
  program: string;
  rounds: Figures[];
}

export interface Plan {
  operations: OperationName[];
  connections: number[];
  rounds: number;
  /** How long each load lasts. */
  seconds: number;
}

/** How many different requests there are, which are sent again and again. */
const REQUESTS = 20_000;

/** How long each program is warmed up with each operation, so that its code is compiled. */
const WARM_UP_SECONDS = 2;

/** Measures the programs in turn, each operation and number of connections in each round, and says on the way what it does. */
export async function measure(programs: Program[], plan: Plan): Promise<Measurement[]> {
  const { operations, connections, rounds } = plan;
  for (const operation of operations) {
    for (const program of programs) await load(program, operation, 32, WARM_UP_SECONDS);
    console.log(`warmed up: ${operation}`);
  }
  const measurements = operations.flatMap((operation) =>
    connections.flatMap((connections) =>
      programs.map((program) => ({ operation, connections, program, rounds: [] as Figures[] })),
    ),
  );
  for (let round = 1; round <= rounds; round++) {
    for (const { operation, connections, program, rounds: results } of inRound(measurements, round)) {
      const figures = await load(program, operation, connections, plan.seconds);
      results.push(figures);
      console.log(
        [
          `round ${round}: ${operation}, ${connections} connections, ${program.name}:`,
          `${figures.requests.toFixed(0)} a second, p99 ${figures.p99.toFixed(1)} ms`,
        ].join(' '),
      );
    }
  }
  return measurements.map(({ program, ...measurement }) => ({ ...measurement, program: program.name }));
}

/** The other way round in every other one, so that none always comes behind the same. */
function inRound<Item>(measurements: Item[], round: number): Item[] {
  return round % 2 === 0 ? measurements.toReversed() : measurements;
}

async function load(
  { contestant, data }: Program,
  operation: OperationName,
  connections: number,
  seconds: number,
): Promise<Figures> {
  const requests = Array.from({ length: REQUESTS }, () => OPERATIONS[operation](data));
  const before = await contestant.processorTime();
  const result = await generateLoad({ origin: contestant.origin, requests, connections, seconds });
  const processorTime = (await contestant.processorTime()) - before;
  return {
    ...result,
    processorTime: processorTime / ((result.requests * seconds) / 1000),
    memory: await contestant.memory(),
  };
}

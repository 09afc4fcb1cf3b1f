import { mkdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { format as formatMarkdown } from 'prettier';
import { describeMachine } from '../machine.js';
import { assertSameResponses } from './compare-responses.js';
import { DatabaseServer, SERVICE } from './database.js';
import { measureFootprint } from './footprint.js';
import { LOAD_GENERATOR } from './load.js';
import { measure, type Plan } from './measure.js';
import { OPERATIONS, type OperationName, PHONES_PER_ORGANIZATION } from './operations.js';
import { reportChart, reportTable } from './report.js';
import { type Target, TargetProcess } from './target.js';

/** The size of the sample data when targets are compared. */
const ORGANIZATIONS = 100_000;

/** The numbers of phones in the databases that `--scale` compares. */
const SCALES = [10_000, 1_000_000, 10_000_000];

/** How many requests of each operation are checked for the same responses before the measurement. */
const CHECKED_REQUESTS = 20;

const { values: options } = parseArgs({
  options: {
    /** Measures startup time, memory and install size instead of throughput. */
    footprint: { type: 'boolean', default: false },
    /** Compares three sizes of the database instead of the three targets. */
    scale: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    /** The duration of each load. */
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '1,32,128' },
    /** Measures only the operations whose names contain this text. */
    only: { type: 'string', default: '' },
    /** The directory of another built checkout of the service, measured instead of the other targets. */
    beside: { type: 'string' },
  },
});

const allOperations = Object.keys(OPERATIONS) as OperationName[];
const plan: Plan = {
  operations: options.only
    ? allOperations.filter((operation) => operation.includes(options.only))
    : allOperations,
  connections: options.connections.split(',').map(Number),
  rounds: Number(options.rounds),
  seconds: Number(options.seconds),
};
if (plan.operations.length === 0) throw new Error(`No operation has a name that contains ${options.only}.`);
if (![plan.rounds, plan.seconds, ...plan.connections].every((number) => number >= 1)) {
  throw new Error('--rounds, --seconds and --connections must be numbers of at least 1.');
}

/** Results are written only by a complete run: all operations of this build in at least three rounds. */
const isComplete = plan.operations === allOperations && options.beside === undefined && plan.rounds >= 3;

const server = await DatabaseServer.open();
const targets: Target[] = [];
let closing: Promise<void> | undefined;
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => void close().then(() => process.exit(1)));
try {
  console.log(`Using ${await server.describe()} and the load generator ${LOAD_GENERATOR}.`);
  if (options.footprint) {
    await writeReport(
      'footprint',
      `# Start and footprint\n\n${describeMachine()}\n\n${await measureFootprint(server)}`,
    );
  } else if (options.scale) {
    await compareSizes();
  } else {
    await compareTargets();
  }
} finally {
  await close();
}

/** Stops the targets and drops their databases. Further calls wait for the first one. */
function close(): Promise<void> {
  closing ??= Promise.allSettled(targets.map((target) => target.process.stop())).then(() => server.close());
  return closing;
}

async function compareTargets(): Promise<void> {
  console.log(`Filling a database with ${PHONES_PER_ORGANIZATION * ORGANIZATIONS} phones …`);
  const database = await server.createDatabase(ORGANIZATIONS);
  const scripts: Record<string, string> =
    options.beside === undefined
      ? {
          'this service': SERVICE,
          'hand-written': 'dist/bench/throughput/hand-written.js',
          tutorial: 'dist/bench/throughput/tutorial.js',
        }
      : { 'this service': SERVICE, beside: resolve(options.beside, SERVICE) };
  for (const [name, script] of Object.entries(scripts)) {
    const settings = { DATABASE_URL: database };
    const data = { organizations: ORGANIZATIONS };
    targets.push({ name, process: await TargetProcess.start(script, settings), data });
  }
  const requests = plan.operations.flatMap((operation) =>
    Array.from({ length: CHECKED_REQUESTS }, () => OPERATIONS[operation]({ organizations: ORGANIZATIONS })),
  );
  await assertSameResponses(
    targets.map(({ name, process: { origin } }) => ({ name, origin, setsHeaders: name !== 'tutorial' })),
    requests,
  );
  console.log('All targets return the same responses.');
  await report('throughput', 'Requests per second');
}

async function compareSizes(): Promise<void> {
  for (const phones of SCALES) {
    const organizations = Math.ceil(phones / PHONES_PER_ORGANIZATION);
    const name = `${phones.toLocaleString('en')} phones`;
    console.log(`Filling a database with ${name} …`);
    const settings = { DATABASE_URL: await server.createDatabase(organizations) };
    targets.push({ name, process: await TargetProcess.start(SERVICE, settings), data: { organizations } });
  }
  await report('scale', 'Requests per second, by the size of the database');
}

/** Measures the targets and prints the report. A complete run also writes it to `bench/results/`, with a chart. */
async function report(file: string, title: string): Promise<void> {
  const measurements = await measure(targets, plan);
  const text = `
# ${title}

${describeMachine()} ${await server.describe()} and the load generator, ${LOAD_GENERATOR}, ran on the same machine.
Medians of ${plan.rounds} rounds of ${plan.seconds} seconds, in which the targets took turns. The ratios are medians of
the ratios within each round.

![${title}](${file}.svg)

${reportTable(measurements)}
`;
  await writeReport(file, text);
  if (isComplete) await writeFile(`bench/results/${file}.svg`, reportChart(title, measurements));
}

async function writeReport(file: string, text: string): Promise<void> {
  const markdown = await formatMarkdown(text, { parser: 'markdown' });
  console.log(markdown);
  if (!isComplete) return;
  await mkdir('bench/results', { recursive: true });
  await writeFile(`bench/results/${file}.md`, markdown);
}

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { format as formatMarkdown } from 'prettier';
import { Target } from './target.js';
import { Server, SERVICE } from './database.js';
import { footprint } from './footprint.js';
import { LOAD_GENERATOR } from './load.js';
import { measure, type Plan, type Program } from './measure.js';
import { OPERATIONS, type OperationName, PHONES_PER_ORGANIZATION } from './operations.js';
import { machine } from '../machine.js';
import { chart, table } from './report.js';
import { checkSameAnswers } from './same-responses.js';

/** In the comparison with other programs. */
const ORGANIZATIONS = 100_000;

/** The sizes of the database, in phones, that `--scale` compares. */
const SCALES = [10_000, 1_000_000, 10_000_000];

/** How many requests of each operation must be answered alike before they are timed. */
const CHECKED = 20;

const { values: options } = parseArgs({
  options: {
    /** The time that a start takes, memory and size, and no requests a second. */
    footprint: { type: 'boolean', default: false },
    /** Of the three sizes of the database, and not of the programs. */
    scale: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    /** How long each load lasts. */
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '1,32,128' },
    /** Only the operations whose name has this in it. */
    only: { type: 'string', default: '' },
    /** Another checkout of the service, built, to be measured in place of the other programs. */
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
if (plan.operations.length === 0) throw new Error(`No operation has ${options.only} in its name.`);
if (![plan.rounds, plan.seconds, ...plan.connections].every((number) => number >= 1)) {
  throw new Error('Rounds, seconds and connections are numbers from 1 on.');
}

/** Only what is complete is kept: all operations of this build, in three rounds at least. */
const isComplete = plan.operations === allOperations && options.beside === undefined && plan.rounds >= 3;

const server = await Server.find();
const programs: Program[] = [];
let closed: Promise<void> | undefined;
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => void close().then(() => process.exit(1)));
try {
  console.log(`${await server.description()} is asked; the load comes from ${LOAD_GENERATOR}.`);
  if (options.footprint) {
    await write('footprint', `# Start and footprint\n\n${machine()}\n\n${await footprint(server)}`);
  } else if (options.scale) {
    await compareSizes();
  } else {
    await comparePrograms();
  }
} finally {
  await close();
}

/** Ends the programs and drops their databases, once. */
function close(): Promise<void> {
  closed ??= Promise.allSettled(programs.map(({ contestant }) => contestant.end())).then(() =>
    server.close(),
  );
  return closed;
}

async function comparePrograms(): Promise<void> {
  console.log(`Filling a database with ${PHONES_PER_ORGANIZATION * ORGANIZATIONS} phones …`);
  const database = await server.createDatabase(ORGANIZATIONS);
  const scripts: Record<string, string> =
    options.beside === undefined
      ? {
          'this service': SERVICE,
          'hand-written': 'dist/bench/throughput/hand-written.js',
          tutorial: 'dist/bench/throughput/tutorial.js',
        }
      : { 'this service': SERVICE, beside: join(options.beside, SERVICE) };
  for (const [name, script] of Object.entries(scripts)) {
    const contestant = await Target.start(script, { DATABASE_URL: database });
    programs.push({ name, contestant, data: { organizations: ORGANIZATIONS } });
  }
  const requests = plan.operations.flatMap((operation) =>
    Array.from({ length: CHECKED }, () => OPERATIONS[operation]({ organizations: ORGANIZATIONS })),
  );
  await checkSameAnswers(
    programs.map(({ name, contestant: { origin } }) => ({ name, origin, setsHeaders: name !== 'tutorial' })),
    requests,
  );
  console.log('All give the same answers.');
  await report('throughput', 'Requests a second');
}

async function compareSizes(): Promise<void> {
  for (const phones of SCALES) {
    const organizations = Math.ceil(phones / PHONES_PER_ORGANIZATION);
    const name = `${phones.toLocaleString('en')} phones`;
    console.log(`Filling a database with ${name} …`);
    const settings = { DATABASE_URL: await server.createDatabase(organizations) };
    programs.push({ name, contestant: await Target.start(SERVICE, settings), data: { organizations } });
  }
  await report('scale', 'Requests a second, by the size of the database');
}

/** Measures, and prints the table; that of all operations is written to `bench/results/`, with the chart. */
async function report(file: string, title: string): Promise<void> {
  const measurements = await measure(programs, plan);
  const text = `
# ${title}

${machine()} ${await server.description()} and the load generator, ${LOAD_GENERATOR}, ran on the same machine.
Medians of ${plan.rounds} rounds of ${plan.seconds} seconds, in which the programs took turns. The ratios are medians of
those within each round.

![${title}](${file}.svg)

${table(measurements)}
`;
  await write(file, text);
  if (isComplete) await writeFile(`bench/results/${file}.svg`, chart(title, measurements));
}

async function write(file: string, text: string): Promise<void> {
  const markdown = await formatMarkdown(text, { parser: 'markdown' });
  console.log(markdown);
  if (!isComplete) return;
  await mkdir('bench/results', { recursive: true });
  await writeFile(`bench/results/${file}.md`, markdown);
}

import { machine } from '../machine.js';
import { format as formatMarkdown } from 'prettier';
import { drawChart } from '../chart.js';
import { markdownTable } from '../markdown-table.js';
import { FIGURE_NAMES, type FigureName, FIGURES, fitLine, format, type Sample } from './figures.js';

/** How many rows of the table are kept. */
const ROWS = 30;

/** The part of the time in which caches fill and code is compiled. It does not count for the growth. */
const WARM_UP = 0.2;

const PANELS: [title: string, figures: FigureName[]][] = [
  ['Resident memory (MiB)', ['rss']],
  ['JavaScript heap, and memory outside of it (MiB)', ['heap', 'external', 'buffers']],
  ['Handles', ['open files', 'sockets', 'timers', 'others']],
  ['Connection pool', ['connections', 'idle', 'waiting']],
  ['Latency (ms)', ['median', 'p99', 'loop delay']],
  ['Requests per second', ['requests', 'refused']],
];

const COLUMNS = ['time', ...FIGURE_NAMES];

/** The names of the columns, as wide as their values. */
export function heading(): string {
  return COLUMNS.map((name) => name.padStart(7)).join(' ');
}

/** A line for the screen, under {@link heading}. */
export function line(sample: Sample): string {
  return cells(sample)
    .map((cell, index) => cell.padStart(Math.max(7, COLUMNS[index]?.length ?? 0)))
    .join(' ');
}

/**
 * The report on a run: how much each figure grew, and the figures over the time.
 *
 * @param chart the file that shows the same
 */
export function toMarkdown(title: string, chart: string, samples: Sample[]): Promise<string> {
  const last = samples.at(-1)?.seconds ?? 0;
  const settled = samples.filter(({ seconds }) => seconds >= WARM_UP * last);
  const step = Math.ceil(samples.length / ROWS);
  const requests = samples.reduce((sum, { traffic }) => sum + traffic.requests, 0);
  const text = `
# ${title}

${(last / 60).toFixed(1)} minutes, ${requests.toLocaleString('en')} requests, every answer as it had to be.
${machine()} The callers ran on the same machine.

![The figures over the time](${chart})

## Growth

By the straight line that fits best (least squares) from minute ${((WARM_UP * last) / 60).toFixed(1)} on.

${markdownTable(
  ['', 'from', 'to', 'a minute', 'in all'],
  FIGURE_NAMES.map((name) => growth(name, settled)),
)}

## Over the time

Memory is in MiB, latency and delay in ms; requests are those of a second. The heap is what is left after a full
collection.

${markdownTable(COLUMNS, samples.filter((_, index) => index % step === 0).map(cells))}
`;
  return formatMarkdown(text, { parser: 'markdown' });
}

/** The figures over the time, as a chart. */
export function toSvg(title: string, samples: Sample[]): string {
  const panels = PANELS.map(([title, names]) => ({
    title,
    series: names.map((name) => ({
      name,
      points: samples.map((sample) => [sample.seconds / 60, FIGURES[name].of(sample)] as [number, number]),
    })),
  }));
  return drawChart(title, 'minutes', panels);
}

function cells(sample: Sample): string[] {
  const seconds = Math.round(sample.seconds);
  const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  return [time, ...FIGURE_NAMES.map((name) => format(name, FIGURES[name].of(sample)))];
}

function growth(name: FigureName, samples: Sample[]): string[] {
  const { unit, of } = FIGURES[name];
  const minutes = samples.map(({ seconds }) => seconds / 60);
  const at = fitLine(samples.map((sample) => [sample.seconds / 60, of(sample)]));
  const [from, to] = [at(minutes[0] ?? 0), at(minutes.at(-1) ?? 0)];
  const slope = at(1) - at(0);
  // A leak may be less than a tenth of a MiB a minute.
  const perMinute = unit === 'MiB' ? `${signed(slope * 2 ** 20)} B` : `${signed(slope)} ${unit}`;
  const values = [from, to].map((value) => `${format(name, value)} ${unit}`);
  return [name, ...values, perMinute, `${signed(to - from)} ${unit}`];
}

/** A difference, with its sign and three digits that count. */
function signed(value: number): string {
  return value.toLocaleString('en', { signDisplay: 'exceptZero', maximumSignificantDigits: 3 });
}

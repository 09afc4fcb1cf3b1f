import { format as formatMarkdown } from 'prettier';
import { drawChart } from '../chart.js';
import { describeMachine } from '../machine.js';
import { markdownTable } from '../markdown-table.js';
import { FIGURE_NAMES, type FigureName, FIGURES, fitLine, format, type Sample } from './figures.js';

/** The largest number of rows in the table of figures over time. */
const MAX_ROWS = 30;

/** The first part of the run, in which caches fill and code is compiled. The growth is computed without it. */
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

/** Returns the column names for the terminal, padded to the width of the values. */
export function terminalHeader(): string {
  return COLUMNS.map((name) => name.padStart(7)).join(' ');
}

/** Returns the line of a sample for the terminal, below {@link terminalHeader}. */
export function terminalRow(sample: Sample): string {
  return cells(sample)
    .map((cell, index) => cell.padStart(Math.max(7, COLUMNS[index]?.length ?? 0)))
    .join(' ');
}

/**
 * Returns the report of a run: the growth of each figure, and the figures over time.
 *
 * @param chart the file name of the chart
 */
export function toMarkdown(title: string, chart: string, samples: Sample[]): Promise<string> {
  const last = samples.at(-1)?.seconds ?? 0;
  const settled = samples.filter(({ seconds }) => seconds >= WARM_UP * last);
  const step = Math.ceil(samples.length / MAX_ROWS);
  const requests = samples.reduce((sum, { traffic }) => sum + traffic.requests, 0);
  const text = `
# ${title}

${(last / 60).toFixed(1)} minutes, ${requests.toLocaleString('en')} requests; every response was as expected.
${describeMachine()} The simulated clients ran on the same machine.

![The figures over time](${chart})

## Growth

The slope of the straight line that fits best (least squares), from minute ${((WARM_UP * last) / 60).toFixed(1)} on.

${markdownTable(
  ['', 'from', 'to', 'per minute', 'total'],
  FIGURE_NAMES.map((name) => growthRow(name, settled)),
)}

## Figures over time

Memory is in MiB, latency and delay are in ms, and requests are per second. The heap is measured after a full garbage
collection.

${markdownTable(COLUMNS, samples.filter((_, index) => index % step === 0).map(cells))}
`;
  return formatMarkdown(text, { parser: 'markdown' });
}

/** Draws the figures over time. */
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

function growthRow(name: FigureName, samples: Sample[]): string[] {
  const { unit, of } = FIGURES[name];
  const minutes = samples.map(({ seconds }) => seconds / 60);
  const valueAt = fitLine(samples.map((sample) => [sample.seconds / 60, of(sample)]));
  const [from, to] = [valueAt(minutes[0] ?? 0), valueAt(minutes.at(-1) ?? 0)];
  const slope = valueAt(1) - valueAt(0);
  // A leak may be smaller than a tenth of a MiB per minute.
  const perMinute =
    unit === 'MiB' ? `${formatDifference(slope * 2 ** 20)} B` : `${formatDifference(slope)} ${unit}`;
  const values = [from, to].map((value) => `${format(name, value)} ${unit}`);
  return [name, ...values, perMinute, `${formatDifference(to - from)} ${unit}`];
}

/** Formats a difference with its sign and three significant digits. */
function formatDifference(value: number): string {
  return value.toLocaleString('en', { signDisplay: 'exceptZero', maximumSignificantDigits: 3 });
}

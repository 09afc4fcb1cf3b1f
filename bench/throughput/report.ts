import { drawChart } from '../chart.js';
import { markdownTable } from '../markdown-table.js';
import type { Figures, Measurement } from './measure.js';

/** Returns the median. For an even number of values, that is the mean of the two in the middle. */
export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
}

/**
 * Returns a table with the medians of each measurement. The last column is the throughput of the first target divided by
 * that of the target in the row, for the same operation and number of connections: the median of the ratios per round.
 */
export function reportTable(measurements: Measurement[]): string {
  const firstTarget = (measurement: Measurement) =>
    measurements.find(
      ({ operation, connections }) =>
        operation === measurement.operation && connections === measurement.connections,
    );
  const header = [
    ...['operation', 'connections', 'target', 'requests per second', 'p50 ms', 'p99 ms'],
    ...['CPU s for 1,000', 'MiB', `${measurements[0]?.target}, against it`],
  ];
  const rows = measurements.map((measurement) => {
    const { operation, connections, target, rounds } = measurement;
    const medianOf = (figure: keyof Figures) => median(rounds.map((round) => round[figure]));
    const reference = firstTarget(measurement);
    const ratios = rounds.map(
      ({ requests }, round) => (reference?.rounds[round]?.requests ?? NaN) / requests,
    );
    return [
      ...[operation, String(connections), target, Math.round(medianOf('requests')).toLocaleString('en')],
      ...[medianOf('p50').toFixed(2), medianOf('p99').toFixed(2), medianOf('processorTime').toFixed(3)],
      ...[medianOf('memory').toFixed(0), reference === measurement ? '' : median(ratios).toFixed(2)],
    ];
  });
  return markdownTable(header, rows, ['target']);
}

/** Draws requests per second by number of connections, with a panel for each operation and a line for each target. */
export function reportChart(title: string, measurements: Measurement[]): string {
  const operations = [...new Set(measurements.map(({ operation }) => operation))];
  const targets = [...new Set(measurements.map(({ target }) => target))];
  const panels = operations.map((operation) => ({
    title: `${operation} (requests per second)`,
    series: targets.map((name) => ({
      name,
      points: measurements
        .filter((measurement) => measurement.operation === operation && measurement.target === name)
        .map(({ connections, rounds }): [number, number] => [
          connections,
          median(rounds.map(({ requests }) => requests)),
        ]),
    })),
  }));
  return drawChart(title, 'connections', panels);
}

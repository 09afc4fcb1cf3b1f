import { drawChart } from '../chart.js';
import { markdownTable } from '../markdown-table.js';
import type { Figures, Measurement } from './measure.js';

/** The middle one of the rounds, or the mean of the two in the middle. */
export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
}

/**
 * The medians of each measurement, and how many requests the first of the programs that share an operation and a number
 * of connections answers for one of this program's: the median of the ratios, each within a round.
 */
export function table(measurements: Measurement[]): string {
  const first = (measurement: Measurement) =>
    measurements.find(
      ({ operation, connections }) =>
        operation === measurement.operation && connections === measurement.connections,
    );
  const header = [
    ...['operation', 'connections', 'program', 'requests a second', 'p50 ms', 'p99 ms'],
    ...['CPU s for 1,000', 'MiB', `${measurements[0]?.program}, against it`],
  ];
  const rows = measurements.map((measurement) => {
    const { operation, connections, program, rounds } = measurement;
    const middle = (figure: keyof Figures) => median(rounds.map((round) => round[figure]));
    const reference = first(measurement);
    const ratios = rounds.map(
      ({ requests }, round) => (reference?.rounds[round]?.requests ?? NaN) / requests,
    );
    return [
      ...[operation, String(connections), program, Math.round(middle('requests')).toLocaleString('en')],
      ...[middle('p50').toFixed(2), middle('p99').toFixed(2), middle('processorTime').toFixed(3)],
      ...[middle('memory').toFixed(0), reference === measurement ? '' : median(ratios).toFixed(2)],
    ];
  });
  return markdownTable(header, rows, ['program']);
}

/** Requests a second over the number of connections, a panel for each operation and a line for each program. */
export function chart(title: string, measurements: Measurement[]): string {
  const operations = [...new Set(measurements.map(({ operation }) => operation))];
  const programs = [...new Set(measurements.map(({ program }) => program))];
  const panels = operations.map((operation) => ({
    title: `${operation} (requests a second)`,
    series: programs.map((name) => ({
      name,
      points: measurements
        .filter((measurement) => measurement.operation === operation && measurement.program === name)
        .map(({ connections, rounds }): [number, number] => [
          connections,
          median(rounds.map(({ requests }) => requests)),
        ]),
    })),
  }));
  return drawChart(title, 'connections', panels);
}

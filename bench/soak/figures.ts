import type { Traffic } from './http-client.js';
import type { ProcessFigures } from './probe.js';

/** The measurements at one moment of the run. */
export interface Sample {
  /** The time since the start of the load. */
  seconds: number;
  /** The time since the previous sample, which the traffic covers, in seconds. */
  interval: number;
  traffic: Traffic;
  process: ProcessFigures;
  /** The number of open files and sockets of the process; undefined if the system has no `/proc`. */
  openFiles: number | undefined;
  /** The number of phones in the database. */
  phones: number;
}

interface Figure {
  unit: 'MiB' | 'ms' | '1/s' | '';
  of: (sample: Sample) => number;
}

const MIB = 2 ** 20;

const isSocket = (type: string) => type === 'TCPSocketWrap';
const isTimer = (type: string) => type === 'Timeout';

/** The figures of a sample, by name, in the order of the columns. */
export const FIGURES = {
  requests: { unit: '1/s', of: ({ traffic, interval }) => traffic.requests / interval },
  refused: { unit: '1/s', of: ({ traffic, interval }) => traffic.refused / interval },
  median: { unit: 'ms', of: ({ traffic }) => traffic.median },
  p99: { unit: 'ms', of: ({ traffic }) => traffic.p99 },
  'loop delay': { unit: 'ms', of: ({ process }) => process.loopDelay },
  rss: { unit: 'MiB', of: ({ process }) => process.rss / MIB },
  heap: { unit: 'MiB', of: ({ process }) => process.heap / MIB },
  external: { unit: 'MiB', of: ({ process }) => process.external / MIB },
  buffers: { unit: 'MiB', of: ({ process }) => process.arrayBuffers / MIB },
  'open files': { unit: '', of: ({ openFiles }) => openFiles ?? NaN },
  sockets: { unit: '', of: ({ process }) => process.resources.filter(isSocket).length },
  timers: { unit: '', of: ({ process }) => process.resources.filter(isTimer).length },
  others: {
    unit: '',
    of: ({ process }) => process.resources.filter((type) => !isSocket(type) && !isTimer(type)).length,
  },
  connections: { unit: '', of: ({ process }) => process.pool.total },
  idle: { unit: '', of: ({ process }) => process.pool.idle },
  waiting: { unit: '', of: ({ process }) => process.pool.waiting },
  phones: { unit: '', of: ({ phones }) => phones },
} satisfies Record<string, Figure>;

export type FigureName = keyof typeof FIGURES;

export const FIGURE_NAMES = Object.keys(FIGURES) as FigureName[];

/** Formats a value without its unit. */
export function format(name: FigureName, value: number): string {
  const digits = { ms: 2, MiB: 1, '1/s': 0, '': 0 }[FIGURES[name].unit];
  // toFixed() would format a value just below zero as -0.
  return value.toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    signDisplay: 'negative',
    useGrouping: false,
  });
}

/** Returns the straight line that fits the points best (least squares), as a function of x. */
export function fitLine(points: [x: number, y: number][]): (x: number) => number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const middle = mean(points.map(([x]) => x));
  const height = mean(points.map(([, y]) => y));
  const covariance = mean(points.map(([x, y]) => (x - middle) * (y - height)));
  const slope = covariance / mean(points.map(([x]) => (x - middle) ** 2));
  return (x) => height + slope * (x - middle);
}

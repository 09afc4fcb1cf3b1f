import type { Traffic } from './client.js';
import type { InsideFigures } from './probe.js';

/** What was seen at one moment. */
export interface Sample {
  /** Since the start of the load. */
  seconds: number;
  /** Since the sample before, in seconds. The traffic is that of this time. */
  interval: number;
  traffic: Traffic;
  inside: InsideFigures;
  /** The open files and sockets of the process; undefined where the system does not tell. */
  openFiles: number | undefined;
  /** How many phones there are. */
  phones: number;
}

interface Figure {
  unit: 'MiB' | 'ms' | '1/s' | '';
  of: (sample: Sample) => number;
}

const MIB = 2 ** 20;

const isSocket = (type: string) => type === 'TCPSocketWrap';
const isTimer = (type: string) => type === 'Timeout';

/** What is shown of a sample, by name, in the order of the columns. */
export const FIGURES = {
  requests: { unit: '1/s', of: ({ traffic, interval }) => traffic.requests / interval },
  refused: { unit: '1/s', of: ({ traffic, interval }) => traffic.refused / interval },
  median: { unit: 'ms', of: ({ traffic }) => traffic.median },
  p99: { unit: 'ms', of: ({ traffic }) => traffic.p99 },
  'loop delay': { unit: 'ms', of: ({ inside }) => inside.loopDelay },
  rss: { unit: 'MiB', of: ({ inside }) => inside.rss / MIB },
  heap: { unit: 'MiB', of: ({ inside }) => inside.heap / MIB },
  external: { unit: 'MiB', of: ({ inside }) => inside.external / MIB },
  buffers: { unit: 'MiB', of: ({ inside }) => inside.arrayBuffers / MIB },
  'open files': { unit: '', of: ({ openFiles }) => openFiles ?? NaN },
  sockets: { unit: '', of: ({ inside }) => inside.resources.filter(isSocket).length },
  timers: { unit: '', of: ({ inside }) => inside.resources.filter(isTimer).length },
  others: {
    unit: '',
    of: ({ inside }) => inside.resources.filter((type) => !isSocket(type) && !isTimer(type)).length,
  },
  connections: { unit: '', of: ({ inside }) => inside.pool.total },
  idle: { unit: '', of: ({ inside }) => inside.pool.idle },
  waiting: { unit: '', of: ({ inside }) => inside.pool.waiting },
  phones: { unit: '', of: ({ phones }) => phones },
} satisfies Record<string, Figure>;

export type FigureName = keyof typeof FIGURES;

export const FIGURE_NAMES = Object.keys(FIGURES) as FigureName[];

/** A value as it is shown, without its unit. */
export function format(name: FigureName, value: number): string {
  const digits = { ms: 2, MiB: 1, '1/s': 0, '': 0 }[FIGURES[name].unit];
  // Not toFixed(), which writes what is a little below zero as -0.
  return value.toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    signDisplay: 'negative',
    useGrouping: false,
  });
}

/** The straight line that fits the points best (least squares). */
export function fitLine(points: [x: number, y: number][]): (x: number) => number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const middle = mean(points.map(([x]) => x));
  const height = mean(points.map(([, y]) => y));
  const covariance = mean(points.map(([x, y]) => (x - middle) * (y - height)));
  const slope = covariance / mean(points.map(([x]) => (x - middle) ** 2));
  return (x) => height + slope * (x - middle);
}

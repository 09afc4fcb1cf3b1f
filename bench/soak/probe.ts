import { monitorEventLoopDelay } from 'node:perf_hooks';
import pg from 'pg';

/*
 * Loaded into the service before its own code (`node --import`): answers each message of the soak run with what
 * can only be seen from inside the process.
 */

/** Figures from inside the service. Memory is in bytes. */
export interface InsideFigures {
  rss: number;
  /** What is left in the heap of JavaScript after a full collection: what only grows there is a leak. */
  heap: number;
  external: number;
  arrayBuffers: number;
  /** The type of each resource that keeps the event loop alive. */
  resources: string[];
  pool: { total: number; idle: number; waiting: number };
  /** By how much timers were late since the last message, 99th percentile, in milliseconds. */
  loopDelay: number;
}

/** How often the delay of the event loop is measured, in milliseconds. */
const RESOLUTION = 10;

const pools = new Set<pg.Pool>();

/** The driver hands out no list of its pools, so each of them is noted as it is made. */
class KnownPool extends pg.Pool {
  constructor(config?: pg.PoolConfig) {
    super(config);
    pools.add(this);
  }
}
Object.assign(pg, { Pool: KnownPool });

const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
delay.enable();

process.on('message', () => {
  const loopDelay = Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION);
  delay.disable();
  // Without the garbage in it a slow leak shows within minutes. The pause is not the service's own.
  globalThis.gc?.();
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  process.send?.({
    ...{ rss, heap: heapUsed, external, arrayBuffers, loopDelay },
    resources: process.getActiveResourcesInfo(),
    pool: {
      total: sumOfPools('totalCount'),
      idle: sumOfPools('idleCount'),
      waiting: sumOfPools('waitingCount'),
    },
  } satisfies InsideFigures);
  delay.reset();
  delay.enable();
});

// The soak run is gone, however it ended.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));

function sumOfPools(count: 'totalCount' | 'idleCount' | 'waitingCount'): number {
  return [...pools].reduce((sum, pool) => sum + pool[count], 0);
}

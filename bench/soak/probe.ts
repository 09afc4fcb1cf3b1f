import { monitorEventLoopDelay } from 'node:perf_hooks';
import pg from 'pg';

/*
 * A module that `node --import` loads into the service before its own code. It replies to each message of the soak run
 * with figures that can only be read inside the process.
 */

/** Figures of the service's process. Memory is in bytes. */
export interface ProcessFigures {
  rss: number;
  /** The JavaScript heap after a full garbage collection. If it keeps growing, there is a leak. */
  heap: number;
  external: number;
  arrayBuffers: number;
  /** The type of each resource that keeps the event loop alive. */
  resources: string[];
  pool: { total: number; idle: number; waiting: number };
  /** The 99th percentile of the event loop delay since the last message, in milliseconds. */
  loopDelay: number;
}

/** The interval between two measurements of the event loop delay, in milliseconds. */
const RESOLUTION = 10;

const pools = new Set<pg.Pool>();

/** Adds each new pool to the set, because `pg` has no list of its pools. */
class TrackedPool extends pg.Pool {
  constructor(config?: pg.PoolConfig) {
    super(config);
    pools.add(this);
  }
}
Object.assign(pg, { Pool: TrackedPool });

const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
delay.enable();

process.on('message', () => {
  const loopDelay = Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION);
  delay.disable();
  // After a full collection a slow leak is visible within minutes. The pause is excluded from the event loop delay.
  globalThis.gc?.();
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  process.send?.({
    ...{ rss, heap: heapUsed, external, arrayBuffers, loopDelay },
    resources: process.getActiveResourcesInfo(),
    pool: {
      total: sumOverPools('totalCount'),
      idle: sumOverPools('idleCount'),
      waiting: sumOverPools('waitingCount'),
    },
  } satisfies ProcessFigures);
  delay.reset();
  delay.enable();
});

// The soak run has ended, for whatever reason.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));

function sumOverPools(count: 'totalCount' | 'idleCount' | 'waitingCount'): number {
  return [...pools].reduce((sum, pool) => sum + pool[count], 0);
}

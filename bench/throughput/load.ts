import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import autocannon from 'autocannon';
import type { LoadRequest } from './operations.js';

/** What the load generator measured. */
export interface LoadResult {
  /** Requests per second. */
  requests: number;
  /** The median latency, in milliseconds. */
  p50: number;
  /** The 99th percentile of the latency, in milliseconds. */
  p99: number;
}

export interface LoadOptions {
  origin: string;
  requests: LoadRequest[];
  connections: number;
  seconds: number;
}

/** `wrk` needs less processor time for a request than any of the targets, so it is preferred to autocannon. */
const hasWrk = spawnSync('wrk', ['--version']).error === undefined;

export const LOAD_GENERATOR = hasWrk
  ? 'wrk'
  : 'autocannon (wrk is not installed; autocannon itself may be the bottleneck)';

/**
 * Sends the requests in a loop until the time is over. Each connection waits for a response before its next request.
 *
 * @throws Error if a request fails or its status is not 2xx
 */
export function generateLoad(options: LoadOptions): Promise<LoadResult> {
  return hasWrk ? runWrk(options) : runAutocannon(options);
}

async function runWrk({ origin, requests, connections, seconds }: LoadOptions): Promise<LoadResult> {
  const directory = await mkdtemp(join(tmpdir(), 'phones-bench-'));
  try {
    const file = join(directory, 'requests');
    await writeFile(
      file,
      requests.map(({ method, path, body = '' }) => `${method} ${path} ${body}`).join('\n'),
    );
    const { stdout } = await promisify(execFile)('wrk', [
      ...['--threads', '1', '--connections', String(connections), '--duration', `${seconds}s`],
      ...['--script', resolve('bench/throughput/wrk.lua'), origin, file],
    ]);
    const result = stdout.slice(stdout.lastIndexOf('{'));
    const { failed, ...figures } = JSON.parse(result) as LoadResult & { failed: number };
    if (failed > 0) throw new Error(`${failed} requests to ${origin} failed.`);
    return figures;
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function runAutocannon({ origin, requests, connections, seconds }: LoadOptions): Promise<LoadResult> {
  const headers = { 'Content-Type': 'application/json' };
  const share = Math.ceil(requests.length / connections);
  let next = 0;
  const result = await autocannon({
    url: origin,
    connections,
    duration: seconds,
    // Every connection starts with its first request, so each one gets a different part of the requests.
    setupClient: (client) => {
      const part = requests.slice(next, next + share);
      next = (next + share) % requests.length;
      client.setRequests(
        part.map(({ body, ...request }) => ({ ...request, ...(body && { body, headers }) })),
      );
    },
  });
  const failed = result.non2xx + result.errors + result.timeouts;
  if (failed > 0) throw new Error(`${failed} requests to ${origin} failed.`);
  return {
    requests: result['2xx'] / result.duration,
    p50: result.latency.p50,
    p99: result.latency.p99,
  };
}

import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import autocannon from 'autocannon';
import type { LoadRequest } from './operations.js';

/** What was seen from outside. Latencies are in milliseconds. */
export interface LoadResult {
  /** A second. */
  requests: number;
  p50: number;
  p99: number;
}

export interface Load {
  origin: string;
  requests: LoadRequest[];
  connections: number;
  seconds: number;
}

/** `wrk`, which takes less time for a request than any server, where it is installed. */
const hasWrk = spawnSync('wrk', ['--version']).error === undefined;

export const LOAD_GENERATOR = hasWrk ? 'wrk' : 'autocannon, as wrk is not installed: it may be the limit';

/**
 * Sends the requests, one after the other on each connection, again and again, for a time.
 *
 * @throws Error when one is not answered with success
 */
export function generateLoad(load: Load): Promise<LoadResult> {
  return hasWrk ? runWrk(load) : runAutocannon(load);
}

async function runWrk({ origin, requests, connections, seconds }: Load): Promise<LoadResult> {
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

async function runAutocannon({ origin, requests, connections, seconds }: Load): Promise<LoadResult> {
  const headers = { 'Content-Type': 'application/json' };
  const share = Math.ceil(requests.length / connections);
  let next = 0;
  const result = await autocannon({
    url: origin,
    connections,
    duration: seconds,
    // Each connection has a part of the requests to itself, as each begins with its first.
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

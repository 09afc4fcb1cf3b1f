import { setTimeout } from 'node:timers/promises';
import { isRetryable, isSessionError } from './postgres-errors.js';

const MAX_ATTEMPTS = 5;

/**
 * Executes a unit of work, and retries it when PostgreSQL rolled it back because of a deadlock or a serialization
 * failure (PostgreSQL documentation, section 13.5). It waits for 10 to 160 milliseconds, with exponential backoff and
 * jitter. An error of the session is retried once, without waiting, as the pool has replaced its connections.
 *
 * @param work the whole transaction, including its reads
 * @returns what the work returns
 * @throws the error of the fifth attempt or of the second session, and every other error at once
 */
export async function retryOnConflict<Result>(work: () => Promise<Result>): Promise<Result> {
  let hasNewSession = false;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!hasNewSession && isSessionError(error)) {
        hasNewSession = true;
        continue;
      }
      if (attempt >= MAX_ATTEMPTS || !isRetryable(error)) throw error;
    }
    await setTimeout(5 * (1 + Math.random()) * 2 ** attempt);
  }
}

/**
 * Executes a read, and retries it once after an error of its session.
 *
 * @returns what the read returns
 * @throws the error of the second session, and every other error at once
 */
export async function retryInNewSession<Result>(read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    if (!isSessionError(error)) throw error;
  }
  return read();
}

import { setTimeout } from 'node:timers/promises';
import { isRetryable } from './postgres-errors.js';

const MAX_ATTEMPTS = 5;

/**
 * Executes a unit of work, and retries it when PostgreSQL rolled it back because of a deadlock or a serialization failure
 * (PostgreSQL documentation, section 13.5). It waits for 10 to 160 milliseconds, with exponential backoff and jitter.
 *
 * @param work the whole transaction, including its reads
 * @returns what the work returns
 * @throws the error of the fifth attempt, and every other error at once
 */
export async function retryOnConflict<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !isRetryable(error)) throw error;
    }
    await setTimeout(5 * (1 + Math.random()) * 2 ** attempt);
  }
}

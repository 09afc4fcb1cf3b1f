import { setTimeout } from 'node:timers/promises';
import { isRetryable } from './postgres-errors.js';

/** How often a piece of work is tried, in all. */
const MAX_ATTEMPTS = 5;

/**
 * Does a piece of work, and does it again when PostgreSQL has undone it for a deadlock or a serialization failure
 * (PostgreSQL documentation, section 13.5), after 10 to 160 milliseconds, with exponential backoff and jitter.
 *
 * @param work all of the transaction, from what it reads on
 * @returns what the work returns
 * @throws the error of the fifth attempt, or any other error at once
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

import type { Pool, QueryConfig } from 'pg';
import { RetryableException } from '../common/problem-details.js';
import { retryInNewSession } from '../database/retry-on-conflict.js';
import { lookupKey, lookupName, type LookupRow, type PhoneLookup } from './phone.queries.js';

/** The number of lookups that may share a statement. */
const MAX_BATCH_SIZE = 64;

interface QueuedLookup<Found> {
  key: string;
  lookup: PhoneLookup;
  queuedAt: number;
  resolve: (found: Found | undefined) => void;
  reject: (error: unknown) => void;
}

/**
 * Lets lookups that overlap share a statement, as each statement is a round trip to the database. A lookup that finds
 * its queue empty is executed at once. If a statement fails, only the lookups that share it fail.
 */
export class PhonesLoader<Found> {
  private readonly queues = new Map<string, QueuedLookup<Found>[]>();

  /** @param toQuery creates the statement for lookups with the same name */
  constructor(
    private readonly pool: Pool,
    private readonly toQuery: (lookups: readonly PhoneLookup[]) => QueryConfig,
  ) {}

  /**
   * @returns what the lookup finds; undefined when there is no such owner
   * @throws RetryableException when it waits too long in the queue
   */
  load(lookup: PhoneLookup): Promise<Found | undefined> {
    return new Promise((resolve, reject) => {
      const queued = { key: lookupKey(lookup), lookup, queuedAt: performance.now(), resolve, reject };
      const name = lookupName(lookup);
      const queue = this.queues.get(name);
      if (queue !== undefined) {
        queue.push(queued);
      } else {
        const newQueue = [queued];
        this.queues.set(name, newQueue);
        void this.executeAll(name, newQueue);
      }
    });
  }

  /**
   * Executes the lookups in a queue, one statement at a time. Those that are added in the meantime share the next ones.
   */
  private async executeAll(name: string, queue: QueuedLookup<Found>[]): Promise<void> {
    let previousSize = 0;
    for (;;) {
      this.rejectOverdue(queue);
      if (queue.length === 0) break;
      // Takes half of the lookups that wait or were just served: PostgreSQL executes one half while the service sends
      // the responses of the other.
      const size = Math.min(Math.ceil((queue.length + previousSize) / 2), MAX_BATCH_SIZE);
      const batch = queue.splice(0, size);
      previousSize = batch.length;
      try {
        // Many clients that read one long list at the same time must not delay the others, so it is found once.
        const distinct = new Map(batch.map(({ key, lookup }) => [key, lookup]));
        const query = this.toQuery([...distinct.values()]);
        const { rows } = await retryInNewSession(() => this.pool.query<LookupRow<Found>>(query));
        const keys = [...distinct.keys()];
        const found = new Map(rows.map((row) => [keys[row.ordinal - 1], row.found]));
        for (const { key, resolve } of batch) resolve(found.get(key));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.queues.delete(name);
  }

  /** Rejects lookups that have waited for longer than a request may wait for a connection. */
  private rejectOverdue(queue: QueuedLookup<Found>[]): void {
    const { connectionTimeoutMillis = Infinity } = this.pool.options;
    const oldest = performance.now() - connectionTimeoutMillis;
    while (queue[0] !== undefined && queue[0].queuedAt < oldest) {
      queue.shift()?.reject(new RetryableException(503, 'The database is overloaded. Retry later.'));
    }
  }
}

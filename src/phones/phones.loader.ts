import { Injectable } from '@nestjs/common';
import { Pool, type QueryConfig } from 'pg';
import { RetryableException } from '../common/problem-details.js';
import {
  getPhones,
  listPhones,
  lookupName,
  type LookupRow,
  type PhoneLookup,
  type PhoneRow,
} from './phone.queries.js';
import type { PhoneOwner } from './phone-owner.js';

/** The number of lookups that may share a statement. */
const MAX_BATCH_SIZE = 64;

/**
 * Lets lookups that overlap share a statement, as each statement is a round trip to the database. A lookup that finds
 * the queue empty is executed at once. If a statement fails, only the lookups that share it fail.
 */
@Injectable()
export class PhonesLoader {
  private readonly lists = new Map<string, LookupQueue<string>>();
  private readonly phones = new Map<string, LookupQueue<PhoneRow | null>>();

  constructor(private readonly pool: Pool) {}

  /**
   * @returns the phones of the owner, as JSON; undefined when there is no such owner
   * @throws RetryableException after too long a wait in the queue
   */
  list(owner: PhoneOwner): Promise<string | undefined> {
    return this.lookUp(this.lists, listPhones, { owner });
  }

  /**
   * @returns the phone; null when the owner has no such phone; undefined when there is no such owner
   * @throws RetryableException after too long a wait in the queue
   */
  get(owner: PhoneOwner, id: number): Promise<PhoneRow | null | undefined> {
    return this.lookUp(this.phones, getPhones, { owner, id });
  }

  private lookUp<Found>(
    queues: Map<string, LookupQueue<Found>>,
    toQuery: (lookups: readonly PhoneLookup[]) => QueryConfig,
    lookup: PhoneLookup,
  ): Promise<Found | undefined> {
    const name = lookupName(lookup);
    let queue = queues.get(name);
    if (queue === undefined) queues.set(name, (queue = new LookupQueue(this.pool, toQuery)));
    return queue.add(lookup);
  }
}

interface QueuedLookup<Found> {
  lookup: PhoneLookup;
  queuedAt: number;
  resolve: (found: Found | undefined) => void;
  reject: (error: unknown) => void;
}

/** Executes the lookups of one name, one statement at a time. Lookups that arrive in the meantime share the next ones. */
class LookupQueue<Found> {
  private readonly queue: QueuedLookup<Found>[] = [];
  private isExecuting = false;

  constructor(
    private readonly pool: Pool,
    private readonly toQuery: (lookups: readonly PhoneLookup[]) => QueryConfig,
  ) {}

  add(lookup: PhoneLookup): Promise<Found | undefined> {
    return new Promise((resolve, reject) => {
      this.queue.push({ lookup, queuedAt: performance.now(), resolve, reject });
      if (!this.isExecuting) void this.executeAll();
    });
  }

  private async executeAll(): Promise<void> {
    this.isExecuting = true;
    let previousSize = 0;
    for (;;) {
      this.rejectOverdue();
      if (this.queue.length === 0) break;
      // Half of the clients that wait or have just been served: PostgreSQL executes this half while the responses of
      // the other half are sent.
      const size = Math.min(Math.ceil((this.queue.length + previousSize) / 2), MAX_BATCH_SIZE);
      const batch = this.queue.splice(0, size);
      previousSize = batch.length;
      try {
        const { rows } = await this.pool.query<LookupRow<Found>>(
          this.toQuery(batch.map(({ lookup }) => lookup)),
        );
        const found: (Found | undefined)[] = [];
        for (const row of rows) found[row.ordinal - 1] = row.found;
        batch.forEach(({ resolve }, index) => {
          resolve(found[index]);
        });
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.isExecuting = false;
  }

  /** Rejects lookups that have waited in the queue for longer than a request may wait for a connection. */
  private rejectOverdue(): void {
    const { connectionTimeoutMillis = Infinity } = this.pool.options;
    const oldest = performance.now() - connectionTimeoutMillis;
    while (this.queue[0] !== undefined && this.queue[0].queuedAt < oldest) {
      this.queue.shift()?.reject(new RetryableException(503, 'The database is overloaded. Retry later.'));
    }
  }
}

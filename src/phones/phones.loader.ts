import { Injectable } from '@nestjs/common';
import { Pool, type QueryConfig } from 'pg';
import { RetryableException } from '../common/problem-details.js';
import type { PhoneOwner } from './phone-owner.js';
import {
  type LookupRow,
  getPhones,
  listPhones,
  lookupName,
  type PhoneRow,
  type PhoneLookup,
} from './phone.queries.js';

/** How many reads one statement answers, at the most. */
const MAX_BATCH_SIZE = 64;

/**
 * Lets reads that overlap share a statement: each takes a round trip to the database, whatever it asks for. A read that
 * is alone goes at once; of many, half go, and the others while those are answered. If a statement fails, only the
 * reads that share it fail.
 */
@Injectable()
export class PhonesLoader {
  private readonly lists = new Map<string, ReadQueue<string>>();
  private readonly phones = new Map<string, ReadQueue<PhoneRow | null>>();

  constructor(private readonly pool: Pool) {}

  /**
   * @returns the owner's phones, as JSON; undefined when there is no such owner
   * @throws TryAgainException when its turn does not come in time
   */
  list(owner: PhoneOwner): Promise<string | undefined> {
    return this.read(this.lists, listPhones, { owner });
  }

  /**
   * @returns the phone; null when the owner has no such phone, undefined when there is no such owner
   * @throws TryAgainException when its turn does not come in time
   */
  get(owner: PhoneOwner, id: number): Promise<PhoneRow | null | undefined> {
    return this.read(this.phones, getPhones, { owner, id });
  }

  private read<Found>(
    queues: Map<string, ReadQueue<Found>>,
    statement: (reads: readonly PhoneLookup[]) => QueryConfig,
    read: PhoneLookup,
  ): Promise<Found | undefined> {
    const name = lookupName(read);
    let queue = queues.get(name);
    if (queue === undefined) queues.set(name, (queue = new ReadQueue(this.pool, statement)));
    return queue.add(read);
  }
}

interface WaitingRead<Found> {
  read: PhoneLookup;
  since: number;
  resolve: (found: Found | undefined) => void;
  reject: (error: unknown) => void;
}

/** Reads of one name, in the order in which they came. One statement is under way at a time; meanwhile others gather. */
class ReadQueue<Found> {
  private readonly waiting: WaitingRead<Found>[] = [];
  private isReading = false;

  constructor(
    private readonly pool: Pool,
    private readonly statement: (reads: readonly PhoneLookup[]) => QueryConfig,
  ) {}

  add(read: PhoneLookup): Promise<Found | undefined> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ read, since: performance.now(), resolve, reject });
      if (!this.isReading) void this.readAll();
    });
  }

  private async readAll(): Promise<void> {
    this.isReading = true;
    let answered = 0;
    for (;;) {
      this.refuseLate();
      if (this.waiting.length === 0) break;
      // Half of those who wait or ask again: PostgreSQL works on them while the others' answers are written.
      const size = Math.min(Math.ceil((this.waiting.length + answered) / 2), MAX_BATCH_SIZE);
      const reads = this.waiting.splice(0, size);
      answered = reads.length;
      try {
        const { rows } = await this.pool.query<LookupRow<Found>>(
          this.statement(reads.map(({ read }) => read)),
        );
        const found: (Found | undefined)[] = [];
        for (const row of rows) found[row.ordinal - 1] = row.found;
        reads.forEach(({ resolve }, index) => {
          resolve(found[index]);
        });
      } catch (error) {
        for (const { reject } of reads) reject(error);
      }
    }
    this.isReading = false;
  }

  /**
   * Refuses the reads that have waited longer for their turn than a request does for a connection, when the statement
   * before them ends, which it does in time.
   */
  private refuseLate(): void {
    const { connectionTimeoutMillis = Infinity } = this.pool.options;
    const start = performance.now() - connectionTimeoutMillis;
    while (this.waiting[0] !== undefined && this.waiting[0].since < start) {
      const error = new RetryableException(
        503,
        'The database is overloaded. Retry later.',
      );
      this.waiting.shift()?.reject(error);
    }
  }
}

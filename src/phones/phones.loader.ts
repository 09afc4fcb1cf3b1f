import { Injectable } from '@nestjs/common';
import DataLoader from 'dataloader';
import { Pool, type QueryConfig } from 'pg';
import type { Owner } from './owner.js';
import {
  type FoundRow,
  getPhones,
  listPhones,
  nameOfRead,
  type PhoneRow,
  type Read,
} from './phone.statements.js';

/** How many reads one statement answers, at the most. */
const MAX_BATCH_SIZE = 32;

/**
 * Lets reads that overlap share a statement: each takes a round trip to the database, whatever it asks for. A read that
 * is alone goes at once. While its statement is under way, others gather for the next one. One that fails takes only those
 * with it that share its statement.
 */
@Injectable()
export class PhonesLoader {
  private readonly loaders = new Map<string, DataLoader<Read, unknown>>();

  constructor(private readonly pool: Pool) {}

  /** @returns the owner's phones, as JSON; undefined when there is no such owner */
  list(owner: Owner): Promise<string | undefined> {
    return this.load({ owner }, listPhones);
  }

  /** @returns the phone; null when the owner has no such phone, undefined when there is no such owner */
  get(owner: Owner, id: number): Promise<PhoneRow | null | undefined> {
    return this.load({ owner, id }, getPhones);
  }

  private load<Found>(
    read: Read,
    statement: (reads: readonly Read[]) => QueryConfig,
  ): Promise<Found | undefined> {
    const name = nameOfRead(read);
    let loader = this.loaders.get(name);
    if (loader === undefined) {
      loader = this.createLoader(statement);
      this.loaders.set(name, loader);
    }
    return loader.load(read) as Promise<Found | undefined>;
  }

  private createLoader(statement: (reads: readonly Read[]) => QueryConfig): DataLoader<Read, unknown> {
    let isUnderWay = false;
    const waiting: (() => void)[] = [];
    return new DataLoader<Read, unknown>(
      async (reads) => {
        isUnderWay = true;
        try {
          const { rows } = await this.pool.query<FoundRow<unknown>>(statement(reads));
          const found = reads.map((): unknown => undefined);
          for (const row of rows) found[row.place - 1] = row.found;
          return found;
        } finally {
          isUnderWay = false;
          waiting.shift()?.();
        }
      },
      {
        cache: false,
        maxBatchSize: MAX_BATCH_SIZE,
        batchScheduleFn: (dispatch) => {
          if (isUnderWay) waiting.push(dispatch);
          // Not before all that has arrived by now is read.
          else setImmediate(dispatch);
        },
      },
    );
  }
}

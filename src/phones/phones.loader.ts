import { Injectable } from '@nestjs/common';
import DataLoader from 'dataloader';
import { Pool, type QueryConfig } from 'pg';
import { TryAgainException } from '../http/problem.js';
import type { Owner } from './owner.js';
import {
  type FoundRow,
  getPhones,
  listPhones,
  nameOfRead,
  type PhoneRow,
  type Read,
} from './phone.statements.js';

/** How many statements of one name are under way at once. While they are, other reads gather for the next one. */
const MAX_UNDER_WAY = 2;

/** How many reads one statement answers, at the most: PostgreSQL works on the next one while answers are written. */
const MAX_BATCH_SIZE = 16;

interface WaitingRead extends Read {
  since: number;
}

type Loader<Found> = DataLoader<WaitingRead, Found | undefined>;

/**
 * Lets reads that overlap share a statement: each takes a round trip to the database, whatever it asks for. A read that
 * is alone goes at once. If a statement fails, only the reads that share it fail.
 */
@Injectable()
export class PhonesLoader {
  private readonly lists = new Map<string, Loader<string>>();
  private readonly phones = new Map<string, Loader<PhoneRow | null>>();

  constructor(private readonly pool: Pool) {}

  /** @returns the owner's phones, as JSON; undefined when there is no such owner */
  list(owner: Owner): Promise<string | undefined> {
    return this.load(this.lists, listPhones, { owner });
  }

  /** @returns the phone; null when the owner has no such phone, undefined when there is no such owner */
  get(owner: Owner, id: number): Promise<PhoneRow | null | undefined> {
    return this.load(this.phones, getPhones, { owner, id });
  }

  private load<Found>(
    loaders: Map<string, Loader<Found>>,
    statement: (reads: readonly Read[]) => QueryConfig,
    read: Read,
  ): Promise<Found | undefined> {
    const name = nameOfRead(read);
    let loader = loaders.get(name);
    if (loader === undefined) {
      loader = this.createLoader(statement);
      loaders.set(name, loader);
    }
    return loader.load({ owner: read.owner, id: read.id, since: performance.now() });
  }

  private createLoader<Found>(statement: (reads: readonly Read[]) => QueryConfig): Loader<Found> {
    let underWay = 0;
    const waiting: (() => void)[] = [];
    const start = (dispatch: () => void) => {
      underWay += 1;
      dispatch();
    };
    return new DataLoader<WaitingRead, Found | undefined>(
      async (reads) => {
        try {
          return await this.readAll<Found>(reads, statement);
        } finally {
          underWay -= 1;
          const next = waiting.shift();
          if (next !== undefined) start(next);
        }
      },
      {
        cache: false,
        maxBatchSize: MAX_BATCH_SIZE,
        batchScheduleFn: (dispatch) => {
          if (underWay >= MAX_UNDER_WAY) {
            waiting.push(dispatch);
          } else {
            underWay += 1;
            // Not before all that has arrived by now is read.
            setImmediate(dispatch);
          }
        },
      },
    );
  }

  /** @throws TryAgainException when the reads have waited longer for their turn than a request does for a connection */
  private async readAll<Found>(
    reads: readonly WaitingRead[],
    statement: (reads: readonly Read[]) => QueryConfig,
  ): Promise<(Found | undefined)[]> {
    const { connectionTimeoutMillis = Infinity } = this.pool.options;
    const [{ since } = { since: 0 }] = reads;
    if (performance.now() - since > connectionTimeoutMillis) {
      throw new TryAgainException(503, 'The database is too slow for what is asked of it. Try again soon.');
    }
    const { rows } = await this.pool.query<FoundRow<Found>>(statement(reads));
    const found = reads.map((): Found | undefined => undefined);
    for (const row of rows) found[row.place - 1] = row.found;
    return found;
  }
}

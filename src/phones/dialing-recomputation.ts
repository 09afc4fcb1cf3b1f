import { setTimeout } from 'node:timers/promises';
import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { Pool } from 'pg';
import { type Environment, environmentConfig } from '../config/environment.js';
import { errorMessage } from '../database/postgres-errors.js';
import { dialingVersion } from '../dialing/dialed-number.js';
import type { CountryCode } from '../dialing/phone-number-library.js';
import { toDialingColumns } from './dialing-columns.js';
import { findOutdatedPhones, type OutdatedPhones, recomputePhones } from './phone.queries.js';

/** The job sleeps for this multiple of the time that it works, so that it takes a fifth of one connection. */
const PAUSE_FACTOR = 4;

/** When the job tries again after an error, or after it had to skip phones, in milliseconds. */
const RETRY_DELAY = 5000;

/** How often the job looks for phones that were written by SQL, or by a version that does not know numbers, in milliseconds. */
const INTERVAL = 10 * 60_000;

/**
 * Computes in the background what phones dial: after the start, that of all phones that were parsed under other rules or
 * not at all, and later that of phones that something else has written. The phones themselves say which are left, so the
 * job can end at any time, and run in several processes at once.
 */
@Injectable()
export class DialingRecomputation implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(DialingRecomputation.name);
  private readonly stop = new AbortController();
  private readonly country: CountryCode;
  private readonly version: string;

  constructor(
    private readonly pool: Pool,
    @Inject(environmentConfig.KEY) { DEFAULT_COUNTRY }: Environment,
  ) {
    this.country = DEFAULT_COUNTRY;
    this.version = dialingVersion(DEFAULT_COUNTRY);
  }

  /** Does not wait for the job, which may take minutes. */
  onApplicationBootstrap(): void {
    this.run().catch((error: unknown) => {
      if (!this.stop.signal.aborted) throw error;
    });
  }

  /** Does not wait for the current statement, as the pool does so when it is closed. */
  onModuleDestroy(): void {
    this.stop.abort();
  }

  /** Ends with an AbortError at shutdown. */
  private async run(): Promise<void> {
    let which: 'all' | 'never' = 'all';
    for (;;) {
      let isComplete = false;
      try {
        isComplete = await this.recompute(which);
      } catch (error) {
        this.stop.signal.throwIfAborted();
        this.logger.warn(`Cannot compute what phones dial, will retry: ${errorMessage(error)}`);
      }
      if (isComplete) which = 'never';
      await this.sleep(isComplete ? INTERVAL : RETRY_DELAY);
    }
  }

  /** @returns whether no phone had to be skipped */
  private async recompute(which: 'all' | 'never'): Promise<boolean> {
    let found = 0;
    let written = 0;
    for (let after = 0; ;) {
      const start = performance.now();
      const { rows } = await this.pool.query<OutdatedPhones>(findOutdatedPhones(which, after, this.version));
      const { last_id = null, outdated = null } = rows[0] ?? {};
      if (last_id === null) break;
      if (outdated !== null) {
        if (found === 0) this.logger.log(`Computing what phones dial, by rules ${this.version}`);
        found += outdated.length;
        written += await this.recomputeBatch(outdated);
      }
      after = last_id;
      await this.sleep(PAUSE_FACTOR * (performance.now() - start));
    }
    if (found > 0) this.logger.log(`Computed what ${written} phones dial, by rules ${this.version}`);
    return written === found;
  }

  private async recomputeBatch(outdated: { id: number; digits: string }[]): Promise<number> {
    const phones = outdated.map(({ id, digits }) => ({
      id,
      digits,
      ...toDialingColumns(digits, this.country),
    }));
    return (await this.pool.query(recomputePhones(phones, this.version))).rowCount ?? 0;
  }

  private sleep(milliseconds: number): Promise<void> {
    return setTimeout(milliseconds, undefined, { signal: this.stop.signal, ref: false });
  }
}

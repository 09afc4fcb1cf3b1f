import { Inject, Injectable } from '@nestjs/common';
import { Pool, type QueryConfig } from 'pg';
import { DataSource, type EntityManager } from 'typeorm';
import type { Page } from '../common/pagination.js';
import { type Environment, environmentConfig } from '../config/environment.js';
import { postgresError } from '../database/postgres-errors.js';
import { retryInNewSession, retryOnConflict } from '../database/retry-on-conflict.js';
import { type DialedNumber, dialingVersion } from '../dialing/dialed-number.js';
import type { CountryCode } from '../dialing/phone-number-library.js';
import { toDialingColumns } from './dialing-columns.js';
import type { CreatePhoneDto } from './dto/create-phone.dto.js';
import type { UpdatePhoneDto } from './dto/update-phone.dto.js';
import {
  type ConditionalRow,
  createPhone,
  deletePhone,
  type DialingRow,
  findMissingPart,
  type FoundPhoneRow,
  getPhones,
  listPhones,
  lockOwner,
  type PhoneRow,
  searchPhones,
  updatePhone,
} from './phone.queries.js';
import type { OwnerType, PhoneOwner } from './phone-owner.js';
import { PhonesLoader } from './phones.loader.js';

/** Reads and writes phones. Each operation is one statement, which also finds the owner. */
@Injectable()
export class PhonesRepository {
  private readonly lists: PhonesLoader<string>;
  private readonly phones: PhonesLoader<PhoneRow | DialingRow<PhoneRow> | null>;
  private readonly country: CountryCode;

  constructor(
    private readonly pool: Pool,
    private readonly dataSource: DataSource,
    @Inject(environmentConfig.KEY) { DEFAULT_COUNTRY }: Environment,
  ) {
    this.country = DEFAULT_COUNTRY;
    this.lists = new PhonesLoader(pool, listPhones);
    this.phones = new PhonesLoader(pool, getPhones);
  }

  /**
   * @param includesDialing whether each phone has the columns that say what it dials
   * @returns the phones of the owner by ascending ID, as JSON; undefined when there is no such owner
   * @throws RetryableException when the read waits too long in the queue
   */
  list(owner: PhoneOwner, includesDialing: boolean): Promise<string | undefined> {
    return this.lists.load({ owner, includesDialing });
  }

  /**
   * @param includesDialing whether the phone has the columns that say what it dials
   * @returns the phone; null when the owner has no such phone; undefined when there is no such owner
   * @throws RetryableException when the read waits too long in the queue
   */
  get(
    owner: PhoneOwner,
    id: number,
    includesDialing: boolean,
  ): Promise<PhoneRow | DialingRow<PhoneRow> | null | undefined> {
    return this.phones.load({ owner, id, includesDialing });
  }

  /**
   * Finds the phones that dial a number, by ascending ID: with its extension, or with any if it has none.
   *
   * @returns the phones of the page, and how many there are on all pages
   */
  async search(number: DialedNumber, page: { skip: number; take: number }): Promise<Page<FoundPhoneRow>> {
    const query = searchPhones(number, dialingVersion(this.country), page);
    const { rows } = await retryInNewSession(() =>
      this.pool.query<{ total: number } & (FoundPhoneRow | { id: null })>(query),
    );
    const phones = rows.filter((row) => row.id !== null);
    return [phones, rows[0]?.total ?? 0];
  }

  /** @returns the new phone; only nulls when the owner is full; undefined when there is no such owner */
  create(owner: PhoneOwner, phone: CreatePhoneDto): Promise<ConditionalRow<PhoneRow> | undefined> {
    return this.executeWrite(owner, createPhone(owner, phone, toDialingColumns(phone.digits, this.country)));
  }

  /**
   * Creates a phone as part of a transaction. It locks the owner first, because a failed statement would abort the
   * transaction.
   *
   * @returns the new phone; only nulls when the owner is full; undefined when there is no such owner
   */
  createInTransaction(
    manager: EntityManager,
    owner: PhoneOwner,
    phone: CreatePhoneDto,
  ): Promise<ConditionalRow<PhoneRow> | undefined> {
    const dialing = toDialingColumns(phone.digits, this.country);
    return executeWithOwnerLock(manager, owner, createPhone(owner, phone, dialing));
  }

  /**
   * Updates a phone.
   *
   * @param entityTags the entity tags that the phone may have; any if absent
   * @returns the phone; only nulls when it has another entity tag; undefined when there is no such phone or owner
   */
  update(
    owner: PhoneOwner,
    id: number,
    changes: UpdatePhoneDto,
    entityTags?: string[],
  ): Promise<ConditionalRow<PhoneRow> | undefined> {
    const dialing = changes.digits === undefined ? undefined : toDialingColumns(changes.digits, this.country);
    return this.executeWrite(owner, updatePhone(owner, id, changes, dialing, entityTags));
  }

  /**
   * Deletes a phone.
   *
   * @param entityTags the entity tags that the phone may have; any if absent
   * @returns its ID; null when it has another entity tag; undefined when there is no such phone or owner
   */
  delete(
    owner: PhoneOwner,
    id: number,
    entityTags?: string[],
  ): Promise<ConditionalRow<{ id: number }> | undefined> {
    return this.executeWrite(owner, deletePhone(owner, id, entityTags));
  }

  /**
   * Finds out which part of an owner's path does not exist, after another statement has not found the owner.
   *
   * @param manager of the transaction, if there is one
   * @returns `organization` or the type of the owner; null if all parts exist
   */
  async findMissingPart(owner: PhoneOwner, manager = this.dataSource.manager): Promise<OwnerType | null> {
    const { text, values } = findMissingPart(owner);
    const [row] = await manager.query<{ missing: OwnerType | null }[]>(text, values);
    return row?.missing ?? null;
  }

  /**
   * Executes a write. If two writes make different phones of an owner primary at the same time, the unique index
   * rejects the later one, which is then executed again while it holds the lock of the owner.
   */
  private executeWrite<Row>(owner: PhoneOwner, query: QueryConfig): Promise<Row | undefined> {
    return retryOnConflict(async () => {
      try {
        return ((await this.pool.query(query)).rows as Row[])[0];
      } catch (error) {
        if (postgresError(error)?.constraint !== 'uq_phones_primary') throw error;
        return this.dataSource.transaction((manager) => executeWithOwnerLock<Row>(manager, owner, query));
      }
    });
  }
}

/**
 * Executes a statement after it has locked the owner, so that it sees every other write and cannot collide with one.
 * TypeORM's query() takes no name, so these statements are not prepared.
 */
async function executeWithOwnerLock<Row>(
  manager: EntityManager,
  owner: PhoneOwner,
  { text, values }: QueryConfig,
): Promise<Row | undefined> {
  const lock = lockOwner(owner);
  await manager.query(lock.text, lock.values);
  const [row] = await manager.query<Row[]>(text, values);
  return row;
}

import { Injectable, PreconditionFailedException } from '@nestjs/common';
import { Pool, type QueryConfig } from 'pg';
import { DataSource, type EntityManager } from 'typeorm';
import { postgresError } from '../database/postgres-errors.js';
import { retryOnConflict } from '../database/retry-on-conflict.js';
import { PRECONDITION_FAILED } from '../common/etag.js';
import { notFound } from '../common/problem-details.js';
import type { IdempotentRequest } from '../idempotency/idempotency-key.decorator.js';
import { IdempotencyService } from '../idempotency/idempotency.service.js';
import type { CreatePhoneDto } from './dto/create-phone.dto.js';
import type { UpdatePhoneDto } from './dto/update-phone.dto.js';
import type { PhoneOwner } from './phone-owner.js';
import { PhonesLoader } from './phones.loader.js';
import {
  createPhone,
  deletePhone,
  lockOwner,
  type ConditionalRow,
  type PhoneRow,
  updatePhone,
} from './phone.queries.js';

/**
 * The rules of phones. An owner has at most one primary number. A phone is found only under its own owner,
 * and an owner only under its own organization; what is not found is a NotFoundException.
 */
@Injectable()
export class PhonesService {
  constructor(
    private readonly pool: Pool,
    private readonly loader: PhonesLoader,
    private readonly dataSource: DataSource,
    private readonly idempotency: IdempotencyService,
  ) {}

  /**
   * @returns the owner's phones by ascending ID, as JSON
   * @throws NotFoundException when there is no such owner
   * @throws TryAgainException as {@link PhonesLoader.list}
   */
  async list(owner: PhoneOwner): Promise<string> {
    const phones = await this.loader.list(owner);
    if (phones === undefined) throw notFound(owner.type);
    return phones;
  }

  /**
   * @throws NotFoundException when there is no such owner, or it has no such phone
   * @throws TryAgainException as {@link PhonesLoader.get}
   */
  async get(owner: PhoneOwner, id: number): Promise<PhoneRow> {
    const phone = await this.loader.get(owner, id);
    if (phone === undefined) throw notFound(owner.type);
    if (phone === null) throw notFound('phone');
    return phone;
  }

  /**
   * Adds a phone. Where `is_primary` is left out, the owner's only number becomes its primary one.
   *
   * @param request the request, when it brings an `Idempotency-Key`: sent again, it adds nothing again
   * @throws NotFoundException when there is no such owner
   * @throws TryAgainException, ConflictException as {@link IdempotencyService.executeOnce} says
   */
  async create(owner: PhoneOwner, phone: CreatePhoneDto, request?: IdempotentRequest): Promise<PhoneRow> {
    const statement = createPhone(owner, phone);
    // Without a key there is nothing to keep beside the phone, so one prepared statement is all.
    if (request === undefined) return found(await this.write<PhoneRow>(owner, statement), owner.type);
    return this.idempotency.executeOnce(request, async (manager) =>
      found(await writeAlone<PhoneRow>(manager, owner, statement), owner.type),
    );
  }

  /**
   * Changes the fields that are given and leaves the others.
   *
   * @param tags the ETags that the phone may have; left out: any
   * @throws NotFoundException when the owner has no such phone, or is not there itself
   * @throws PreconditionFailedException when the phone has another ETag
   */
  async update(owner: PhoneOwner, id: number, changes: UpdatePhoneDto, tags?: string[]): Promise<PhoneRow> {
    return expected(await this.write<ConditionalRow>(owner, updatePhone(owner, id, changes, tags)));
  }

  /**
   * Deletes a phone. If it was the primary one, none is: whom people should call is not for us to guess.
   *
   * @param tags the ETags that the phone may have; left out: any
   * @throws NotFoundException when the owner has no such phone, or is not there itself
   * @throws PreconditionFailedException when the phone has another ETag
   */
  async delete(owner: PhoneOwner, id: number, tags?: string[]): Promise<void> {
    expected(await this.write<{ id: number | null }>(owner, deletePhone(owner, id, tags)));
  }

  /**
   * Runs a statement that may make a number the primary one. Of two that run at once and cannot see each
   * other's number, the index refuses the later one. That one is run again under the owner's lock.
   */
  private write<Row>(owner: PhoneOwner, statement: QueryConfig): Promise<Row[]> {
    return retryOnConflict(async () => {
      try {
        return (await this.pool.query(statement)).rows as Row[];
      } catch (error) {
        if (postgresError(error)?.constraint !== 'uq_phones_primary') throw error;
        return this.dataSource.transaction((manager) => writeAlone<Row>(manager, owner, statement));
      }
    });
  }
}

/** Runs a statement while it holds the owner, with all that others have written in sight, so that it cannot collide. */
async function writeAlone<Row>(
  manager: EntityManager,
  owner: PhoneOwner,
  { text, values }: QueryConfig,
): Promise<Row[]> {
  const lock = lockOwner(owner);
  await manager.query(lock.text, lock.values);
  return manager.query<Row[]>(text, values);
}

function found<Row>([row]: Row[], resource: string): Row {
  if (row === undefined) throw notFound(resource);
  return row;
}

/** The row of a write under a condition: none without a phone, nulls for a phone that is not as it should be. */
function expected<Row extends { id: number | null }>(rows: Row[]): Row & { id: number } {
  const row = found(rows, 'phone');
  if (row.id === null) throw new PreconditionFailedException(PRECONDITION_FAILED);
  return row as Row & { id: number };
}

import { hash } from 'node:crypto';
import { ConflictException, Inject, Injectable, PreconditionFailedException } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { PRECONDITION_FAILED_DETAIL } from '../common/etag.js';
import { type Page, toSkipAndTake } from '../common/pagination.js';
import { notFound, ValidationException } from '../common/problem-details.js';
import { type Environment, environmentConfig } from '../config/environment.js';
import { parseDialedNumber } from '../dialing/dialed-number.js';
import { toDialing } from '../dialing/dialing.js';
import type { CountryCode } from '../dialing/phone-number-library.js';
import type { IdempotentRequest } from '../idempotency/idempotency-key.decorator.js';
import { IdempotencyService } from '../idempotency/idempotency.service.js';
import { describeDialing } from './dialing-columns.js';
import type { CreatePhoneDto } from './dto/create-phone.dto.js';
import { type FoundPhoneDto, NUMBER_DETAIL, type PhoneSearchQuery } from './dto/phone-search.dto.js';
import type { UpdatePhoneDto } from './dto/update-phone.dto.js';
import {
  type ConditionalRow,
  type DialingRow,
  type FoundPhoneRow,
  MAX_PHONES,
  type PhoneRow,
} from './phone.queries.js';
import type { PhoneOwner } from './phone-owner.js';
import { PhonesRepository } from './phones.repository.js';

/**
 * The rules of phones. An owner has at most {@link MAX_PHONES} phones, and one of them is primary at most. A phone is
 * found only under its own owner, and an owner only under its own organization.
 */
@Injectable()
export class PhonesService {
  private readonly country: CountryCode;

  constructor(
    private readonly phones: PhonesRepository,
    private readonly idempotency: IdempotencyService,
    @Inject(environmentConfig.KEY) { DEFAULT_COUNTRY }: Environment,
  ) {
    this.country = DEFAULT_COUNTRY;
  }

  /**
   * @param includesDialing whether to say what each phone dials
   * @returns the phones of the owner by ascending ID, as JSON
   * @throws NotFoundException when there is no such owner
   * @throws RetryableException when the read waits too long in the queue
   */
  async list(owner: PhoneOwner, includesDialing: boolean): Promise<string> {
    const phones =
      (await this.phones.list(owner, includesDialing)) ?? (await this.throwNotFound(owner, owner.type));
    if (!includesDialing) return phones;
    return JSON.stringify((JSON.parse(phones) as DialingRow[]).map((row) => this.addDialing(row)));
  }

  /**
   * @param includesDialing whether to say what the phone dials
   * @throws NotFoundException when there is no such owner, or when it has no such phone
   * @throws RetryableException when the read waits too long in the queue
   */
  async get(owner: PhoneOwner, id: number, includesDialing: boolean): Promise<PhoneRow> {
    const phone = await this.phones.get(owner, id, includesDialing);
    if (phone === null) throw notFound('phone');
    if (phone === undefined) return this.throwNotFound(owner, owner.type);
    if (!('dial' in phone)) return phone;
    const described = this.addDialing(phone);
    return { ...described, variant: hash('sha1', JSON.stringify(described.dialing), 'base64url') };
  }

  /**
   * Finds the phones that dial a number, by ascending ID: with its extension, or with any if it has none.
   *
   * @param prefix what the paths of the owners begin with, if a proxy has removed it from the URL
   * @throws ValidationException when the number cannot be dialed
   */
  async search(query: PhoneSearchQuery, prefix: string): Promise<Page<FoundPhoneDto>> {
    const number = parseDialedNumber(query.number, this.country);
    if (number === null) {
      throw new ValidationException('query', [{ parameter: 'number', detail: NUMBER_DETAIL }]);
    }
    const [rows, total] = await this.phones.search(number, toSkipAndTake(query));
    const phones = rows.map(({ id, digits, phone_type, is_primary, dial, dial_extension, ...owner }) => ({
      id,
      digits,
      phone_type,
      is_primary,
      dialing: toDialing({ dial, extension: dial_extension }, this.country),
      owner: {
        type: owner.owner_type,
        id: owner.owner_id,
        name: owner.owner_name,
        path: prefix + ownerPath(owner),
      },
    }));
    return [phones, total];
  }

  /**
   * Adds a phone. If `is_primary` is absent, the only phone of an owner becomes its primary phone.
   *
   * @param request the request, if it has an `Idempotency-Key`
   * @throws NotFoundException when there is no such owner
   * @throws RetryableException while the first request with this key is in progress
   * @throws ConflictException when the owner already has {@link MAX_PHONES} phones, or when the key was used for a
   *   different request
   */
  async create(owner: PhoneOwner, phone: CreatePhoneDto, request?: IdempotentRequest): Promise<PhoneRow> {
    // Without a key, no idempotency record is saved in the same transaction, so a single statement suffices.
    if (request === undefined) {
      return rowOrConflict(
        (await this.phones.create(owner, phone)) ?? (await this.throwNotFound(owner, owner.type)),
      );
    }
    return this.idempotency.executeOnce(request, async (manager) => {
      const created = await this.phones.createInTransaction(manager, owner, phone);
      return rowOrConflict(created ?? (await this.throwNotFound(owner, owner.type, manager)));
    });
  }

  /**
   * Changes the fields that are present, and leaves the others as they are.
   *
   * @param entityTags the entity tags that the phone may have; any if absent
   * @throws NotFoundException when there is no such owner, or when it has no such phone
   * @throws PreconditionFailedException when the phone has another entity tag
   */
  async update(
    owner: PhoneOwner,
    id: number,
    changes: UpdatePhoneDto,
    entityTags?: string[],
  ): Promise<PhoneRow> {
    const updated = await this.phones.update(owner, id, changes, entityTags);
    return rowOrPreconditionFailed(updated ?? (await this.throwNotFound(owner, 'phone')));
  }

  /**
   * Deletes a phone. Deleting the primary phone leaves the owner without one, because the service cannot know which
   * number people should call next.
   *
   * @param entityTags the entity tags that the phone may have; any if absent
   * @throws NotFoundException when there is no such owner, or when it has no such phone
   * @throws PreconditionFailedException when the phone has another entity tag
   */
  async delete(owner: PhoneOwner, id: number, entityTags?: string[]): Promise<void> {
    const deleted = await this.phones.delete(owner, id, entityTags);
    rowOrPreconditionFailed(deleted ?? (await this.throwNotFound(owner, 'phone')));
  }

  /** Replaces the columns that say what a phone dials with their description. */
  private addDialing<Row extends DialingRow>({ dial, dial_extension, dialing_version, ...phone }: Row) {
    const columns = { digits: phone.digits, dial, dial_extension, dialing_version };
    return { ...phone, dialing: describeDialing(columns, this.country) };
  }

  /**
   * Throws a NotFoundException that names the first missing part of the path.
   *
   * @param last the last part, if the owner exists
   * @param manager of the transaction, if there is one
   */
  private async throwNotFound(owner: PhoneOwner, last: string, manager?: EntityManager): Promise<never> {
    throw notFound((await this.phones.findMissingPart(owner, manager)) ?? last);
  }
}

/** Checks the result of a create. Its columns are null if the owner is full. */
function rowOrConflict(row: ConditionalRow<PhoneRow>): PhoneRow {
  if (row.id === null) {
    throw new ConflictException(
      `This owner already has ${MAX_PHONES} phones, the most that an owner can have; delete one first.`,
    );
  }
  return row;
}

/** Checks the result of a conditional write. Its columns are null if the phone has another entity tag. */
function rowOrPreconditionFailed<Row extends { id: number }>(row: ConditionalRow<Row>): Row {
  if (row.id === null) throw new PreconditionFailedException(PRECONDITION_FAILED_DETAIL);
  return row;
}

/** @returns the path of an owner, with IDs */
function ownerPath({
  owner_type,
  owner_id,
  organization_id,
}: Pick<FoundPhoneRow, 'owner_type' | 'owner_id' | 'organization_id'>): string {
  const organization = `/v1/organizations/${organization_id}`;
  switch (owner_type) {
    case 'organization':
      return organization;
    case 'opportunity':
      return `${organization}/opportunities/${owner_id}`;
    case 'location':
      return `${organization}/locations/${owner_id}`;
  }
}

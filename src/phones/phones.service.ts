import { Injectable } from '@nestjs/common';
import { Pool, type QueryConfig } from 'pg';
import { DataSource } from 'typeorm';
import { postgresError } from '../database/database-errors.js';
import { notFound } from '../http/path-ids.js';
import type { CreatePhoneDto } from './dto/create-phone.dto.js';
import type { PhoneDto } from './dto/phone.dto.js';
import type { UpdatePhoneDto } from './dto/update-phone.dto.js';
import type { Owner } from './owner.js';
import {
  createPhone,
  deletePhone,
  getPhone,
  listPhones,
  lockOwner,
  type OwnersPhone,
  updatePhone,
} from './phone.statements.js';

/**
 * The rules of phones. An owner has at most one primary number. A phone is found only under its own owner,
 * and an owner only under its own organization; what is not found is a NotFoundException.
 */
@Injectable()
export class PhonesService {
  constructor(
    private readonly pool: Pool,
    private readonly dataSource: DataSource,
  ) {}

  /** @returns the owner's phones by ascending ID */
  async list(owner: Owner): Promise<PhoneDto[]> {
    const { rows } = await this.pool.query<OwnersPhone>(listPhones(owner));
    if (rows.length === 0) throw notFound(owner.type);
    return rows.filter((row) => row.id !== null);
  }

  async get(owner: Owner, id: number): Promise<PhoneDto> {
    const { rows } = await this.pool.query<OwnersPhone>(getPhone(owner, id));
    const [phone] = rows;
    if (phone === undefined) throw notFound(owner.type);
    if (phone.id === null) throw notFound('phone');
    return phone;
  }

  /** Adds a phone. Where `is_primary` is left out, the owner's only number becomes its primary one. */
  async create(owner: Owner, phone: CreatePhoneDto): Promise<PhoneDto> {
    const [created] = await this.write(owner, createPhone(owner, phone));
    if (created === undefined) throw notFound(owner.type);
    return created;
  }

  /** Changes the fields that are given and leaves the others. */
  async update(owner: Owner, id: number, changes: UpdatePhoneDto): Promise<PhoneDto> {
    const [updated] = await this.write(owner, updatePhone(owner, id, changes));
    if (updated === undefined) throw notFound('phone');
    return updated;
  }

  /** Deletes a phone. If it was the primary one, none is: whom people should call is not for us to guess. */
  async delete(owner: Owner, id: number): Promise<void> {
    const { rowCount } = await this.pool.query(deletePhone(owner, id));
    if (rowCount === 0) throw notFound('phone');
  }

  /**
   * Runs a statement that may make a number the primary one. Of two that run at once and cannot see each
   * other's number, the index refuses the later one. That one is run again while it holds the owner, with
   * all that the others have written in sight, so the second try cannot collide.
   */
  private async write(owner: Owner, statement: QueryConfig): Promise<PhoneDto[]> {
    try {
      return (await this.pool.query<PhoneDto>(statement)).rows;
    } catch (error) {
      if (postgresError(error)?.constraint !== 'uq_phones_primary') throw error;
    }
    return this.dataSource.transaction(async ({ queryRunner }) => {
      const lock = lockOwner(owner);
      await queryRunner?.query(lock.text, lock.values);
      const result = await queryRunner?.query(statement.text, statement.values, true);
      return (result?.records ?? []) as PhoneDto[];
    });
  }
}

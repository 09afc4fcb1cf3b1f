import { Injectable } from '@nestjs/common';
import { Pool, type QueryConfig } from 'pg';
import { postgresError } from '../database/database-errors.js';
import { notFound } from '../http/problem.js';
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
  type OwnerPhoneRow,
  updatePhone,
} from './phone.statements.js';

/**
 * The rules of phones. An owner has at most one primary number. A phone is found only under its own owner,
 * and an owner only under its own organization; what is not found is a NotFoundException.
 */
@Injectable()
export class PhonesService {
  constructor(private readonly pool: Pool) {}

  /**
   * @returns the owner's phones by ascending ID
   * @throws NotFoundException when there is no such owner
   */
  async list(owner: Owner): Promise<PhoneDto[]> {
    const { rows } = await this.pool.query<OwnerPhoneRow>(listPhones(owner));
    if (rows.length === 0) throw notFound(owner.type);
    return rows.filter((row) => row.id !== null);
  }

  /** @throws NotFoundException when there is no such owner, or it has no such phone */
  async get(owner: Owner, id: number): Promise<PhoneDto> {
    const { rows } = await this.pool.query<OwnerPhoneRow>(getPhone(owner, id));
    const [phone] = rows;
    if (phone === undefined) throw notFound(owner.type);
    if (phone.id === null) throw notFound('phone');
    return phone;
  }

  /**
   * Adds a phone. Where `is_primary` is left out, the owner's only number becomes its primary one.
   *
   * @throws NotFoundException when there is no such owner
   */
  async create(owner: Owner, phone: CreatePhoneDto): Promise<PhoneDto> {
    const [created] = await this.write(owner, createPhone(owner, phone));
    if (created === undefined) throw notFound(owner.type);
    return created;
  }

  /**
   * Changes the fields that are given and leaves the others.
   *
   * @throws NotFoundException when the owner has no such phone, or is not there itself
   */
  async update(owner: Owner, id: number, changes: UpdatePhoneDto): Promise<PhoneDto> {
    const [updated] = await this.write(owner, updatePhone(owner, id, changes));
    if (updated === undefined) throw notFound('phone');
    return updated;
  }

  /**
   * Deletes a phone. If it was the primary one, none is: whom people should call is not for us to guess.
   *
   * @throws NotFoundException when the owner has no such phone, or is not there itself
   */
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
    const client = await this.pool.connect();
    // A connection that is lost fails the query, which is enough to know. Unheard, this would end the process.
    client.on('error', ignore);
    let isSound = false;
    try {
      const { rows } = await client.query<PhoneDto>(statement).catch(async (error: unknown) => {
        if (postgresError(error)?.constraint !== 'uq_phones_primary') throw error;
        await client.query('BEGIN');
        await client.query(lockOwner(owner));
        const result = await client.query<PhoneDto>(statement);
        await client.query('COMMIT');
        return result;
      });
      isSound = true;
      return rows;
    } finally {
      client.off('error', ignore);
      // After any other error nobody knows what state the connection is in: the pool makes a new one.
      client.release(!isSound);
    }
  }
}

function ignore(): void {
  // Nothing is left to do.
}

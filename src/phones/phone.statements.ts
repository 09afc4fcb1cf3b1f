import type { QueryConfig } from 'pg';
import type { IdOrSlug } from '../http/path-ids.js';
import type { PhoneDto } from './dto/phone.dto.js';
import type { UpdatePhoneDto } from './dto/update-phone.dto.js';
import type { CreatePhoneDto } from './dto/create-phone.dto.js';
import type { Owner } from './owner.js';

/*
 * All SQL of the phones. An operation is one statement, which finds the owner by its path and reads or
 * writes the phones. Each has a name, so that PostgreSQL parses it once for each connection.
 */

/** A row of a read. An owner without a phone gives one row of nulls, no owner gives no row. */
export type OwnerPhoneRow = PhoneDto | { id: null };

const FIELDS = 'phones.id, phones.digits, phones.phone_type, phones.is_primary';

export function listPhones(owner: Owner): QueryConfig {
  const { name, find, keys } = ownerLookup(owner, 1);
  return {
    name: `list phones of ${name}`,
    text: `
      SELECT ${FIELDS}
      FROM (${find}) AS owner
      LEFT JOIN phones ON phones.owner_type = '${owner.type}' AND phones.owner_id = owner.id
      ORDER BY phones.id`,
    values: keys,
  };
}

export function getPhone(owner: Owner, id: number): QueryConfig {
  const { name, find, keys } = ownerLookup(owner, 2);
  return {
    name: `get phone of ${name}`,
    text: `
      SELECT ${FIELDS}
      FROM (${find}) AS owner
      LEFT JOIN phones ON phones.owner_type = '${owner.type}' AND phones.owner_id = owner.id AND phones.id = $1`,
    values: [id, ...keys],
  };
}

/**
 * Returns the new phone; no row when there is no owner. The number that was primary gives way before the
 * new one is written: the join with the count of the one makes PostgreSQL finish the other first.
 */
export function createPhone(owner: Owner, { digits, phone_type, is_primary }: CreatePhoneDto): QueryConfig {
  const { name, find, keys } = ownerLookup(owner, 4);
  return {
    name: `create phone of ${name}`,
    text: `
      WITH owner AS (${find} FOR NO KEY UPDATE),
      demoted AS (
        UPDATE phones SET is_primary = false
        FROM owner
        WHERE phones.owner_type = '${owner.type}' AND phones.owner_id = owner.id
          AND phones.is_primary AND $3::boolean
        RETURNING phones.id
      )
      INSERT INTO phones (owner_type, owner_id, digits, phone_type, is_primary)
      SELECT '${owner.type}', owner.id, $1::varchar, $2::varchar, coalesce($3::boolean, NOT EXISTS (
        SELECT FROM phones WHERE phones.owner_type = '${owner.type}' AND phones.owner_id = owner.id
      ))
      FROM owner, (SELECT count(*) FROM demoted) AS demotion
      RETURNING ${FIELDS}`,
    values: [digits, phone_type ?? null, is_primary ?? null, ...keys],
  };
}

/**
 * Changes the fields that are given. Returns the phone; no row when the owner has no such phone.
 * As in {@link createPhone} the number that was primary gives way first.
 */
export function updatePhone(
  owner: Owner,
  id: number,
  { digits, phone_type, is_primary }: UpdatePhoneDto,
): QueryConfig {
  const { name, find, keys } = ownerLookup(owner, 6);
  return {
    name: `update phone of ${name}`,
    text: `
      WITH owner AS (${find} FOR NO KEY UPDATE),
      phone AS (
        SELECT phones.id, phones.owner_id
        FROM phones JOIN owner ON phones.owner_type = '${owner.type}' AND phones.owner_id = owner.id
        WHERE phones.id = $1
        FOR NO KEY UPDATE OF phones
      ),
      demoted AS (
        UPDATE phones SET is_primary = false
        FROM phone
        WHERE phones.owner_type = '${owner.type}' AND phones.owner_id = phone.owner_id
          AND phones.is_primary AND phones.id <> phone.id AND $5::boolean
        RETURNING phones.id
      )
      UPDATE phones SET
        digits = coalesce($2::varchar, phones.digits),
        phone_type = CASE WHEN $3::boolean THEN $4::varchar ELSE phones.phone_type END,
        is_primary = coalesce($5::boolean, phones.is_primary)
      FROM phone, (SELECT count(*) FROM demoted) AS demotion
      WHERE phones.id = phone.id
      RETURNING ${FIELDS}`,
    values: [id, digits ?? null, phone_type !== undefined, phone_type ?? null, is_primary ?? null, ...keys],
  };
}

/** Returns a row when the owner had such a phone. */
export function deletePhone(owner: Owner, id: number): QueryConfig {
  const { name, find, keys } = ownerLookup(owner, 2);
  return {
    name: `delete phone of ${name}`,
    text: `
      DELETE FROM phones USING (${find}) AS owner
      WHERE phones.id = $1 AND phones.owner_type = '${owner.type}' AND phones.owner_id = owner.id
      RETURNING phones.id`,
    values: [id, ...keys],
  };
}

/** Waits until no other write to the owner's phones is under way, and keeps others waiting until the transaction ends. */
export function lockOwner(owner: Owner): QueryConfig {
  const { name, find, keys } = ownerLookup(owner, 1);
  return { name: `lock ${name}`, text: `${find} FOR NO KEY UPDATE`, values: keys };
}

/**
 * The SELECT that finds the ID of an owner by its path. Its parameters are numbered from `first` on.
 * An opportunity or a location is found only under its own organization.
 */
function ownerLookup(owner: Owner, first: number): { name: string; find: string; keys: IdOrSlug[] } {
  switch (owner.type) {
    case 'organization':
      return {
        name: `organization by ${keyColumn(owner.id)}`,
        find: `SELECT id FROM organizations WHERE ${keyColumn(owner.id)} = $${first}`,
        keys: [owner.id],
      };
    case 'opportunity':
    case 'location': {
      const table = owner.type === 'opportunity' ? 'opportunities' : 'locations';
      return {
        name: `${owner.type} by ${keyColumn(owner.id)} of organization by ${keyColumn(owner.organization)}`,
        find: `SELECT id FROM ${table} WHERE ${keyColumn(owner.id)} = $${first} AND organization_id = (
          SELECT id FROM organizations WHERE ${keyColumn(owner.organization)} = $${first + 1}
        )`,
        keys: [owner.id, owner.organization],
      };
    }
  }
}

function keyColumn(key: IdOrSlug): 'id' | 'slug' {
  return typeof key === 'number' ? 'id' : 'slug';
}

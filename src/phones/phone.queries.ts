import type { QueryConfig } from 'pg';
import { entityTagSql, type Versioned } from '../common/etag.js';
import type { IdOrSlug } from '../common/path-params.js';
import type { PhoneDto } from './dto/phone.dto.js';
import type { UpdatePhoneDto } from './dto/update-phone.dto.js';
import type { CreatePhoneDto } from './dto/create-phone.dto.js';
import type { PhoneOwner } from './phone-owner.js';

/*
 * All SQL of the phones. An operation is one statement, which finds the owner by its path and reads or writes the phones;
 * reads that overlap share one. Each has a name, so that PostgreSQL parses and plans it once for each connection.
 */

/** A phone with its version, which is in its ETag. */
export type PhoneRow = PhoneDto & Versioned;

/** A row of a write under a condition: nulls for a phone that is not as it should be. */
export type ConditionalRow = PhoneRow | { id: null };

/** The fields of a phone on the wire. */
const FIELDS = ['id', 'digits', 'phone_type', 'is_primary'].map((field) => `phones.${field}`).join(', ');

/** Whether the phone's ETag is one of `$2`, or any will do. */
const IS_EXPECTED = `coalesce(${entityTagSql('phones')} = ANY($2::text[]), true)`;

/** The text of each statement by its name, put together once. */
const texts = new Map<string, string>();

function statement(name: string, values: unknown[], text: () => string): QueryConfig {
  let known = texts.get(name);
  if (known === undefined) texts.set(name, (known = text()));
  return { name, text: known, values };
}

/** A read, of one phone of an owner or, without `id`, of all. */
export interface PhoneLookup {
  owner: PhoneOwner;
  id?: number;
}

/** What a statement found for the read at this place, from 1 on. There is no row for an owner that is not there. */
export interface LookupRow<Found> {
  ordinal: number;
  found: Found;
}

/** The name of the statement that answers a read. Reads of one name can share it. */
export function lookupName({ owner, id }: PhoneLookup): string {
  return `${id === undefined ? 'list phones' : 'get phone'} of ${nameOfLookup(owner)}`;
}

/**
 * Finds for each owner its phones by ascending ID, as they are answered: as JSON, which PostgreSQL writes faster than a
 * service that would have to read every row before.
 *
 * @param reads of one name
 */
export function listPhones(reads: readonly PhoneLookup[]): QueryConfig {
  return lookUpPhones(
    reads,
    (phonesOfOwner) => `
    SELECT '[' || coalesce(string_agg(row_to_json(answer)::text, ','), '') || ']'
    FROM (
      SELECT ${FIELDS} FROM phones WHERE ${phonesOfOwner} ORDER BY id
    ) AS answer`,
  );
}

/**
 * Finds one phone of each owner, or null.
 *
 * @param reads of one name
 */
export function getPhones(reads: readonly PhoneLookup[]): QueryConfig {
  return lookUpPhones(
    reads,
    (phonesOfOwner) => `
    SELECT row_to_json(answer)
    FROM (
      SELECT ${FIELDS}, phones.version FROM phones WHERE ${phonesOfOwner} AND id = key.phone
    ) AS answer`,
  );
}

/** One statement for all reads: it takes a column of keys for each part of their paths. */
function lookUpPhones(reads: readonly PhoneLookup[], select: (phonesOfOwner: string) => string): QueryConfig {
  const [first] = reads;
  if (first === undefined) throw new Error('There is nothing to read.');
  const { owner, id } = first;
  const columns = [{ name: 'owner', keys: reads.map((read) => read.owner.id) }];
  if (organizationOf(owner) !== undefined) {
    columns.push({ name: 'organization', keys: reads.flatMap((read) => organizationOf(read.owner) ?? []) });
  }
  if (id !== undefined) columns.push({ name: 'phone', keys: reads.flatMap((read) => read.id ?? []) });
  return statement(
    lookupName(first),
    columns.map(({ keys }) => keys),
    () => {
      const arrays = columns.map(
        ({ keys: [key] }, index) => `$${index + 1}::${typeof key === 'number' ? 'integer' : 'text'}[]`,
      );
      const names = columns.map(({ name }) => name);
      return `
        SELECT key.ordinal::integer, (${select(`owner_type = '${owner.type}' AND owner_id = owner.id`)}) AS found
        FROM unnest(${arrays.join(', ')}) WITH ORDINALITY AS key (${names.join(', ')}, ordinal)
        ${joinOwner(owner)}`;
    },
  );
}

/**
 * Returns the new phone; no row when there is no owner. The number that was primary gives way before the
 * new one is written: the join with the count of the one makes PostgreSQL finish the other first. Whether the
 * owner has phones is asked of a function, which sees those that came or went while this waited for the owner.
 */
export function createPhone(
  owner: PhoneOwner,
  { digits, phone_type, is_primary }: CreatePhoneDto,
): QueryConfig {
  return statement(
    `create phone of ${nameOfLookup(owner)}`,
    [digits, phone_type ?? null, is_primary ?? null, ...keysOf(owner)],
    () => `
      WITH owner AS (${findOwner(owner, 4)} FOR NO KEY UPDATE),
      demoted AS (
        UPDATE phones SET is_primary = false
        FROM owner
        WHERE phones.owner_type = '${owner.type}' AND phones.owner_id = owner.id
          AND phones.is_primary AND $3::boolean
        RETURNING phones.id
      )
      INSERT INTO phones (owner_type, owner_id, digits, phone_type, is_primary)
      SELECT '${owner.type}', owner.id, $1::varchar, $2::varchar,
        coalesce($3::boolean, NOT owner_has_phones('${owner.type}', owner.id))
      FROM owner, (SELECT count(*) FROM demoted) AS demotion
      RETURNING ${FIELDS}, phones.version`,
  );
}

/**
 * Changes the fields that are given, if the phone's ETag is among `tags` or there are none. Returns the phone; a row of
 * nulls when its ETag is another one; no row when the owner has no such phone. The row is locked before its ETag is
 * looked at. As in {@link createPhone} the number that was primary gives way first.
 */
export function updatePhone(
  owner: PhoneOwner,
  id: number,
  { digits, phone_type, is_primary }: UpdatePhoneDto,
  tags?: string[],
): QueryConfig {
  return statement(
    `update phone of ${nameOfLookup(owner)}`,
    [
      id,
      tags ?? null,
      digits ?? null,
      phone_type !== undefined,
      phone_type ?? null,
      is_primary ?? null,
      ...keysOf(owner),
    ],
    () => `
      WITH owner AS (${findOwner(owner, 7)} FOR NO KEY UPDATE),
      phone AS (
        SELECT phones.id, phones.owner_id, ${IS_EXPECTED} AS is_expected
        FROM phones JOIN owner ON phones.owner_type = '${owner.type}' AND phones.owner_id = owner.id
        WHERE phones.id = $1
        FOR NO KEY UPDATE OF phones
      ),
      demoted AS (
        UPDATE phones SET is_primary = false
        FROM phone
        WHERE phones.owner_type = '${owner.type}' AND phones.owner_id = phone.owner_id
          AND phones.is_primary AND phones.id <> phone.id AND $6::boolean AND phone.is_expected
        RETURNING phones.id
      ),
      updated AS (
        UPDATE phones SET
          digits = coalesce($3::varchar, phones.digits),
          phone_type = CASE WHEN $4::boolean THEN $5::varchar ELSE phones.phone_type END,
          is_primary = coalesce($6::boolean, phones.is_primary)
        FROM phone, (SELECT count(*) FROM demoted) AS demotion
        WHERE phones.id = phone.id AND phone.is_expected
        RETURNING ${FIELDS}, phones.version
      )
      SELECT updated.* FROM phone LEFT JOIN updated ON true`,
  );
}

/**
 * Deletes a phone under the same condition as {@link updatePhone}. Returns its ID, or rows as that does. It holds the
 * owner, as every write does: one that asks for the owner's phones meanwhile is answered when this is done.
 */
export function deletePhone(owner: PhoneOwner, id: number, tags?: string[]): QueryConfig {
  return statement(
    `delete phone of ${nameOfLookup(owner)}`,
    [id, tags ?? null, ...keysOf(owner)],
    () => `
      WITH owner AS (${findOwner(owner, 3)} FOR NO KEY UPDATE),
      phone AS (
        SELECT phones.id, ${IS_EXPECTED} AS is_expected
        FROM phones JOIN owner ON phones.owner_type = '${owner.type}' AND phones.owner_id = owner.id
        WHERE phones.id = $1
        FOR UPDATE OF phones
      ),
      deleted AS (
        DELETE FROM phones USING phone WHERE phones.id = phone.id AND phone.is_expected
        RETURNING phones.id
      )
      SELECT deleted.id FROM phone LEFT JOIN deleted ON true`,
  );
}

/** Waits until no other write to the owner's phones is under way, and keeps others waiting until the transaction ends. */
export function lockOwner(owner: PhoneOwner): QueryConfig {
  return statement(
    `lock ${nameOfLookup(owner)}`,
    keysOf(owner),
    () => `${findOwner(owner, 1)} FOR NO KEY UPDATE`,
  );
}

/** Where the owners of each type are. */
const TABLES = {
  organization: 'organizations',
  opportunity: 'opportunities',
  location: 'locations',
} as const;

function organizationOf(owner: PhoneOwner): IdOrSlug | undefined {
  return owner.type === 'organization' ? undefined : owner.organization;
}

/** Names the way in which an owner is found; statements that find it in another one have other names. */
function nameOfLookup(owner: PhoneOwner): string {
  const organization = organizationOf(owner);
  const name = `${owner.type} by ${keyColumn(owner.id)}`;
  return organization === undefined ? name : `${name} of organization by ${keyColumn(organization)}`;
}

/** The values by which {@link findOwner} finds it. */
function keysOf(owner: PhoneOwner): IdOrSlug[] {
  const organization = organizationOf(owner);
  return organization === undefined ? [owner.id] : [owner.id, organization];
}

/**
 * The SELECT that finds the ID of an owner by its path. Its parameters are numbered from `first` on.
 * An opportunity or a location is found only under its own organization.
 */
function findOwner(owner: PhoneOwner, first: number): string {
  const organization = organizationOf(owner);
  const find = `SELECT id FROM ${TABLES[owner.type]} WHERE ${keyColumn(owner.id)} = $${first}`;
  if (organization === undefined) return find;
  if (typeof organization === 'number') return `${find} AND organization_id = $${first + 1}`;
  return `${find} AND organization_id = (SELECT id FROM organizations WHERE slug = $${first + 1})`;
}

/** The JOIN that finds the owner of a row `key`, of which `key.owner` and `key.organization` are parts of the path. */
function joinOwner(owner: PhoneOwner): string {
  const organization = organizationOf(owner);
  const join = `JOIN ${TABLES[owner.type]} AS owner ON owner.${keyColumn(owner.id)} = key.owner`;
  if (organization === undefined) return join;
  if (typeof organization === 'number') return `${join} AND owner.organization_id = key.organization`;
  return `${join}
    JOIN organizations ON organizations.id = owner.organization_id AND organizations.slug = key.organization`;
}

function keyColumn(key: IdOrSlug): 'id' | 'slug' {
  return typeof key === 'number' ? 'id' : 'slug';
}

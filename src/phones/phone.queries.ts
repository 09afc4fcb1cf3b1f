import type { QueryConfig } from 'pg';
import { entityTagSql, type Versioned } from '../common/etag.js';
import type { IdOrSlug } from '../common/path-params.js';
import type { DialedNumber } from '../dialing/dialed-number.js';
import type { DialingColumns } from './dialing-columns.js';
import type { CreatePhoneDto } from './dto/create-phone.dto.js';
import { PHONE_FIELDS, type PhoneDto } from './dto/phone.dto.js';
import type { UpdatePhoneDto } from './dto/update-phone.dto.js';
import type { OwnerType, PhoneOwner } from './phone-owner.js';

/*
 * All SQL of phones. Each operation is one statement, which finds the owner by its path and reads or writes its phones.
 * Reads that overlap share a statement. Statements have names, so that PostgreSQL plans them once per connection.
 */

/** A phone with its version, which is part of its entity tag. */
export type PhoneRow = PhoneDto & Versioned;

/** A phone with the columns that say what it dials. */
export type DialingRow<Row = PhoneDto> = Row & DialingColumns;

/** The largest number of phones of an owner. Directories have some tens; a list of more would delay other reads. */
export const MAX_PHONES = 1000;

/**
 * The result of a write with a condition: only nulls when the owner or the phone exists, but the condition does not hold.
 */
export type ConditionalRow<Row> = Row | { id: null };

const FIELDS = Object.keys(PHONE_FIELDS)
  .map((field) => `phones.${field}`)
  .join(', ');

const DIALING_FIELDS = 'phones.dial, phones.dial_extension, phones.dialing_version';

/** Whether the phone has one of the expected entity tags, or the request names none. */
const IS_EXPECTED = `coalesce(${entityTagSql('phones')} = ANY($entity_tags::text[]), true)`;

/** A lookup of one phone of an owner, or of all its phones if `id` is absent. */
export interface PhoneLookup {
  owner: PhoneOwner;
  id?: number;
  /** Whether to select the columns that say what the phones dial. */
  includesDialing: boolean;
}

/** The result of one lookup. `ordinal` is its position among the lookups, from 1. No row if there is no such owner. */
export interface LookupRow<Found> {
  ordinal: number;
  found: Found;
}

/** @returns the name of the statement for a lookup. Lookups with the same name can share it. */
export function lookupName({ owner, id, includesDialing }: PhoneLookup): string {
  const name = id === undefined ? 'list phones' : 'get phone';
  // Not longer than the 63 bytes that PostgreSQL allows.
  return `${includesDialing ? name.replace(/phones?/, 'dialing') : name} of ${ownerPathName(owner)}`;
}

/** @returns what distinguishes a lookup from others with the same name */
export function lookupKey({ owner, id }: PhoneLookup): string {
  return `${organizationOf(owner) ?? ''}/${owner.id}/${id ?? ''}`;
}

/**
 * Finds the phones of each owner, by ascending ID. PostgreSQL writes the JSON of the response, which is faster than
 * parsing rows and serializing them again.
 *
 * @param lookups with the same name
 */
export function listPhones(lookups: readonly PhoneLookup[]): QueryConfig {
  return lookUpPhones(
    lookups,
    (isOfOwner, fields) => `
    SELECT '[' || coalesce(string_agg(row_to_json(result)::text, ','), '') || ']'
    FROM (
      SELECT ${fields} FROM phones WHERE ${isOfOwner} ORDER BY id
    ) AS result`,
  );
}

/**
 * Finds one phone of each owner, or null.
 *
 * @param lookups with the same name
 */
export function getPhones(lookups: readonly PhoneLookup[]): QueryConfig {
  return lookUpPhones(
    lookups,
    (isOfOwner, fields) => `
    SELECT row_to_json(result)
    FROM (
      SELECT ${fields}, phones.version FROM phones WHERE ${isOfOwner} AND id = key.phone
    ) AS result`,
  );
}

/** Executes several lookups in one statement. Its parameters are arrays, one for each part of their paths. */
function lookUpPhones(
  lookups: readonly PhoneLookup[],
  select: (isOfOwner: string, fields: string) => string,
): QueryConfig {
  const [first] = lookups;
  if (first === undefined) throw new Error('There are no lookups.');
  const { owner, id, includesDialing } = first;
  const fields = includesDialing ? `${FIELDS}, ${DIALING_FIELDS}` : FIELDS;
  const keys: Record<string, IdOrSlug[]> = { owner: lookups.map((lookup) => lookup.owner.id) };
  if (organizationOf(owner) !== undefined) {
    keys.organization = lookups.flatMap((lookup) => organizationOf(lookup.owner) ?? []);
  }
  if (id !== undefined) keys.phone = lookups.flatMap((lookup) => lookup.id ?? []);
  const arrays = Object.entries(keys).map(
    ([name, [key]]) => `$${name}::${typeof key === 'number' ? 'integer' : 'text'}[]`,
  );
  return prepare(
    lookupName(first),
    `SELECT key.ordinal::integer, (${select(`owner_type = '${owner.type}' AND owner_id = owner.id`, fields)}) AS found
     FROM unnest(${arrays.join(', ')}) WITH ORDINALITY AS key (${Object.keys(keys).join(', ')}, ordinal)
     ${joinOwner(owner)}`,
    keys,
  );
}

/**
 * Inserts a phone and returns it. Returns a row of nulls when the owner is full, or no row when there is no owner. The
 * former primary phone is demoted first: the join with the count of demoted phones makes PostgreSQL complete that
 * update before it inserts. `count_phones` is a function because it must see phones that were committed while this
 * statement waited for the lock of the owner.
 */
export function createPhone(
  owner: PhoneOwner,
  { digits, phone_type, is_primary }: CreatePhoneDto,
  dialing: DialingColumns,
): QueryConfig {
  return prepare(
    `create phone of ${ownerPathName(owner)}`,
    `WITH locked AS (${findOwner(owner)} FOR NO KEY UPDATE),
     owner AS (SELECT id, count_phones('${owner.type}', id, ${MAX_PHONES}) AS phones FROM locked),
     demoted AS (
       UPDATE phones SET is_primary = false
       FROM owner
       WHERE phones.owner_type = '${owner.type}' AND phones.owner_id = owner.id
         AND phones.is_primary AND $is_primary::boolean AND owner.phones < ${MAX_PHONES}
       RETURNING phones.id
     ),
     created AS (
       INSERT INTO phones (owner_type, owner_id, digits, phone_type, is_primary,
         dial, dial_extension, dialed_digits, dialing_version)
       SELECT '${owner.type}', owner.id, $digits::varchar, $phone_type::varchar,
         coalesce($is_primary::boolean, owner.phones = 0),
         $dial::varchar, $dial_extension::varchar, $digits, $dialing_version::varchar
       FROM owner, (SELECT count(*) FROM demoted) AS demotion
       WHERE owner.phones < ${MAX_PHONES}
       RETURNING ${FIELDS}, phones.version
     )
     SELECT created.* FROM owner LEFT JOIN created ON true`,
    {
      digits,
      phone_type: phone_type ?? null,
      is_primary: is_primary ?? null,
      ...dialing,
      ...ownerParameters(owner),
    },
  );
}

/** The parameters for a phone whose digits stay as they are. */
const UNCHANGED_DIALING: DialingColumns = { dial: null, dial_extension: null, dialing_version: null };

/**
 * Updates the fields that are present, if the phone has one of the entity tags or there are none. Returns the phone, a
 * row of nulls when it has another entity tag, or no row when the owner has no such phone. The phone is locked before
 * its entity tag is compared. The former primary phone is demoted first, as in {@link createPhone}.
 */
export function updatePhone(
  owner: PhoneOwner,
  id: number,
  { digits, phone_type, is_primary }: UpdatePhoneDto,
  dialing = UNCHANGED_DIALING,
  entityTags?: string[],
): QueryConfig {
  return prepare(
    `update phone of ${ownerPathName(owner)}`,
    `WITH owner AS (${findOwner(owner)} FOR NO KEY UPDATE),
     phone AS (
       SELECT phones.id, phones.owner_id, ${IS_EXPECTED} AS is_expected
       FROM phones JOIN owner ON phones.owner_type = '${owner.type}' AND phones.owner_id = owner.id
       WHERE phones.id = $id
       FOR NO KEY UPDATE OF phones
     ),
     demoted AS (
       UPDATE phones SET is_primary = false
       FROM phone
       WHERE phones.owner_type = '${owner.type}' AND phones.owner_id = phone.owner_id
         AND phones.is_primary AND phones.id <> phone.id AND $is_primary::boolean AND phone.is_expected
       RETURNING phones.id
     ),
     updated AS (
       UPDATE phones SET
         digits = coalesce($digits::varchar, phones.digits),
         phone_type = CASE WHEN $has_phone_type::boolean THEN $phone_type::varchar ELSE phones.phone_type END,
         is_primary = coalesce($is_primary::boolean, phones.is_primary),
         dial = CASE WHEN $digits IS NULL THEN phones.dial ELSE $dial::varchar END,
         dial_extension = CASE WHEN $digits IS NULL THEN phones.dial_extension ELSE $dial_extension::varchar END,
         dialed_digits = coalesce($digits, phones.dialed_digits),
         dialing_version = coalesce($dialing_version::varchar, phones.dialing_version)
       FROM phone, (SELECT count(*) FROM demoted) AS demotion
       WHERE phones.id = phone.id AND phone.is_expected
       RETURNING ${FIELDS}, phones.version
     )
     SELECT updated.* FROM phone LEFT JOIN updated ON true`,
    {
      id,
      entity_tags: entityTags ?? null,
      digits: digits ?? null,
      has_phone_type: phone_type !== undefined,
      phone_type: phone_type ?? null,
      is_primary: is_primary ?? null,
      ...dialing,
      ...ownerParameters(owner),
    },
  );
}

/**
 * Deletes a phone under the same condition as {@link updatePhone}. Returns its ID, null if it has another entity tag,
 * or no row if the owner has no such phone. It locks the owner, as every write does, so that a concurrent create knows
 * whether its phone is the only one.
 */
export function deletePhone(owner: PhoneOwner, id: number, entityTags?: string[]): QueryConfig {
  return prepare(
    `delete phone of ${ownerPathName(owner)}`,
    `WITH owner AS (${findOwner(owner)} FOR NO KEY UPDATE),
     phone AS (
       SELECT phones.id, ${IS_EXPECTED} AS is_expected
       FROM phones JOIN owner ON phones.owner_type = '${owner.type}' AND phones.owner_id = owner.id
       WHERE phones.id = $id
       FOR UPDATE OF phones
     ),
     deleted AS (
       DELETE FROM phones USING phone WHERE phones.id = phone.id AND phone.is_expected
       RETURNING phones.id
     )
     SELECT deleted.id FROM phone LEFT JOIN deleted ON true`,
    { id, entity_tags: entityTags ?? null, ...ownerParameters(owner) },
  );
}

/** A phone that a search has found, with its owner. */
export interface FoundPhoneRow extends PhoneDto {
  dial: string;
  dial_extension: string | null;
  owner_type: OwnerType;
  owner_id: number;
  owner_name: string;
  /** The ID of the organization that is the owner, or to which the owner belongs. */
  organization_id: number;
}

/**
 * Finds a page of the phones that dial a number, by ascending ID: with this extension, or with any if it is null. Each row
 * has the number of phones on all pages as `total`. If the page is empty, there is one row, whose other columns are null.
 *
 * @param dialing_version the current version. Phones that were parsed under another one are not found
 */
export function searchPhones(
  { dial, extension }: DialedNumber,
  dialing_version: string,
  { skip, take }: { skip: number; take: number },
): QueryConfig {
  return prepare(
    'search phones',
    `WITH found AS MATERIALIZED (
       SELECT phones.* FROM phones
       WHERE phones.dial = $dial AND phones.dialing_version = $dialing_version
         AND ($extension::varchar IS NULL OR phones.dial_extension = $extension)
     )
     SELECT counted.total, page.*
     FROM (SELECT count(*)::integer AS total FROM found) AS counted
     LEFT JOIN (
       SELECT ${FIELDS}, phones.dial, phones.dial_extension, phones.owner_type, phones.owner_id,
         owner.name AS owner_name, owner.organization_id
       FROM (SELECT * FROM found ORDER BY id LIMIT $take::integer OFFSET $skip::integer) AS phones
       CROSS JOIN LATERAL (
         SELECT name, id AS organization_id FROM organizations WHERE id = phones.organization_id
         UNION ALL
         SELECT title, organization_id FROM opportunities WHERE id = phones.opportunity_id
         UNION ALL
         SELECT name, organization_id FROM locations WHERE id = phones.location_id
       ) AS owner
     ) AS page ON true
     ORDER BY page.id`,
    { dial, extension, dialing_version, take, skip },
  );
}

/** The phones whose number is computed by one statement of the background job, which locks them for about 10 ms. */
const RECOMPUTED_TOGETHER = 200;

/** A part of the phones in the order of their IDs. All are null after the last phone. */
export interface OutdatedPhones {
  last_id: number | null;
  outdated: { id: number; digits: string }[] | null;
}

/**
 * Looks at the next {@link RECOMPUTED_TOGETHER} phones, and finds those that were not parsed under this version.
 *
 * @param after the ID after which they begin
 * @param which `all` phones, or only those that were `never` parsed, which have an index
 */
export function findOutdatedPhones(
  which: 'all' | 'never',
  after: number,
  dialing_version: string,
): QueryConfig {
  return prepare(
    `find outdated phones among ${which}`,
    `SELECT max(id) AS last_id,
       json_agg(json_build_object('id', id, 'digits', digits))
         FILTER (WHERE dialing_version IS DISTINCT FROM $dialing_version) AS outdated
     FROM (
       SELECT id, digits, dialing_version FROM phones
       WHERE id > $after ${which === 'all' ? '' : 'AND dialing_version IS NULL'}
       ORDER BY id LIMIT ${RECOMPUTED_TOGETHER}
     ) AS phones`,
    { after, dialing_version },
  );
}

/**
 * Writes what phones dial. A phone is skipped if its digits have changed, if it has been written by another process, or
 * if it is locked: this statement holds locks itself, so it must not wait for others.
 */
export function recomputePhones(
  phones: ({ id: number; digits: string } & DialingColumns)[],
  dialing_version: string,
): QueryConfig {
  return prepare(
    'recompute phones',
    `WITH phone AS (
       SELECT phones.id, computed.dial, computed.dial_extension
       FROM unnest($ids::integer[], $digits::varchar[], $dials::varchar[], $extensions::varchar[])
         AS computed (id, digits, dial, dial_extension)
       JOIN phones ON phones.id = computed.id AND phones.digits = computed.digits
       WHERE phones.dialing_version IS DISTINCT FROM $dialing_version
       FOR NO KEY UPDATE OF phones SKIP LOCKED
     )
     UPDATE phones SET dial = phone.dial, dial_extension = phone.dial_extension,
       dialed_digits = phones.digits, dialing_version = $dialing_version
     FROM phone
     WHERE phones.id = phone.id`,
    {
      ids: phones.map(({ id }) => id),
      digits: phones.map(({ digits }) => digits),
      dials: phones.map(({ dial }) => dial),
      extensions: phones.map(({ dial_extension }) => dial_extension),
      dialing_version,
    },
  );
}

/**
 * Finds the first part of an owner's path that does not exist, or null: `missing` is `organization` or the type of the
 * owner.
 */
export function findMissingPart(owner: PhoneOwner): QueryConfig {
  const organization = organizationOf(owner);
  const isMissing = `WHEN NOT EXISTS (${findOwner(owner)}) THEN '${owner.type}'`;
  const isOrganizationMissing =
    organization === undefined
      ? ''
      : `WHEN NOT EXISTS (${findOrganization(organization)}) THEN 'organization'`;
  return prepare(
    `check path of ${ownerPathName(owner)}`,
    `SELECT CASE ${isOrganizationMissing} ${isMissing} END AS missing`,
    ownerParameters(owner),
  );
}

/** Waits for other writes to the phones of the owner, and blocks new ones until the transaction ends. */
export function lockOwner(owner: PhoneOwner): QueryConfig {
  return prepare(
    `lock ${ownerPathName(owner)}`,
    `${findOwner(owner)} FOR NO KEY UPDATE`,
    ownerParameters(owner),
  );
}

/** The texts of prepared statements by name, with numbered parameters. */
const numberedTexts = new Map<string, string>();

/**
 * Creates a prepared statement from a text with named parameters, such as `$digits`. PostgreSQL only supports numbered
 * ones.
 */
function prepare(name: string, text: string, parameters: Record<string, unknown>): QueryConfig {
  let numbered = numberedTexts.get(name);
  if (numbered === undefined) {
    const names = Object.keys(parameters);
    numbered = text.replace(/\$([a-z]\w*)/g, (_, parameter: string) => `$${names.indexOf(parameter) + 1}`);
    numberedTexts.set(name, numbered);
  }
  return { name, text: numbered, values: Object.values(parameters) };
}

/** The table of each type of owner. */
const TABLES = {
  organization: 'organizations',
  opportunity: 'opportunities',
  location: 'locations',
} as const;

function organizationOf(owner: PhoneOwner): IdOrSlug | undefined {
  return owner.type === 'organization' ? undefined : owner.organization;
}

/** Names how an owner is found. Statements that find it in another way have other names. */
function ownerPathName(owner: PhoneOwner): string {
  const organization = organizationOf(owner);
  const name = `${owner.type} by ${lookupColumn(owner.id)}`;
  return organization === undefined ? name : `${name} of organization by ${lookupColumn(organization)}`;
}

/** The parameters of {@link findOwner}. */
function ownerParameters(owner: PhoneOwner): Record<string, IdOrSlug> {
  const organization = organizationOf(owner);
  return organization === undefined ? { owner: owner.id } : { owner: owner.id, organization };
}

/** Selects the ID of an owner by its path: an opportunity or a location is only found under its own organization. */
function findOwner(owner: PhoneOwner): string {
  const organization = organizationOf(owner);
  const find = `SELECT id FROM ${TABLES[owner.type]} WHERE ${lookupColumn(owner.id)} = $owner`;
  if (organization === undefined) return find;
  if (typeof organization === 'number') return `${find} AND organization_id = $organization`;
  return `${find} AND organization_id = (${findOrganization(organization)})`;
}

function findOrganization(organization: IdOrSlug): string {
  return `SELECT id FROM organizations WHERE ${lookupColumn(organization)} = $organization`;
}

/** Joins the owner of a row `key`, whose columns `owner` and `organization` are the parts of the path. */
function joinOwner(owner: PhoneOwner): string {
  const organization = organizationOf(owner);
  const join = `JOIN ${TABLES[owner.type]} AS owner ON owner.${lookupColumn(owner.id)} = key.owner`;
  if (organization === undefined) return join;
  if (typeof organization === 'number') return `${join} AND owner.organization_id = key.organization`;
  return `${join}
    JOIN organizations ON organizations.id = owner.organization_id AND organizations.slug = key.organization`;
}

function lookupColumn(key: IdOrSlug): 'id' | 'slug' {
  return typeof key === 'number' ? 'id' : 'slug';
}

import type { QueryConfig } from 'pg';

export interface ClientRow {
  client_id: number;
  key_id: number;
  is_admin: boolean;
  /** Milliseconds until the key expires, by the clock of the database. Null if it does not expire. */
  expires_in: number | null;
  /** Whether the use of the key is already recorded for the current hour. */
  is_use_recorded: boolean;
  /** The organizations that the client may manage. `slugs` is in the same order. */
  organization_ids: number[];
  slugs: string[];
}

const THIS_HOUR = `date_trunc('hour', now(), 'UTC')`;

/** Whether a row of `api_keys` has not expired. */
export const IS_UNEXPIRED = `coalesce(api_keys.expires_at, 'infinity') > now()`;

/**
 * Finds the client to which an unexpired key belongs.
 *
 * @param hash the SHA-256 hash of the key
 */
export function findClient(hash: Buffer): QueryConfig {
  return {
    name: 'find client',
    text: `
      SELECT clients.id AS client_id, api_keys.id AS key_id, clients.is_admin,
        (extract(epoch FROM api_keys.expires_at - now()) * 1000)::float8 AS expires_in,
        api_keys.last_used_at IS NOT DISTINCT FROM ${THIS_HOUR} AS is_use_recorded,
        ARRAY(${selectOrganizations('organizations.id')}) AS organization_ids,
        ARRAY(${selectOrganizations('organizations.slug::text')}) AS slugs
      FROM api_keys
      JOIN clients ON clients.id = api_keys.client_id
      WHERE api_keys.hash = $1 AND ${IS_UNEXPIRED}`,
    values: [hash],
  };
}

/** Finds an unexpired key of an admin. */
export const FIND_ADMIN_KEY = `
  SELECT FROM api_keys
  JOIN clients ON clients.id = api_keys.client_id
  WHERE clients.is_admin AND ${IS_UNEXPIRED}
  LIMIT 1`;

/** Records the use of key `$1` to the hour, so that a busy key costs one write an hour. */
export const RECORD_USE = `UPDATE api_keys SET last_used_at = ${THIS_HOUR} WHERE id = $1`;

/** Selects a column of the organizations that the client may manage, by ascending organization ID. */
function selectOrganizations(column: string): string {
  return `
    SELECT ${column}
    FROM client_organizations
    JOIN organizations ON organizations.id = client_organizations.organization_id
    WHERE client_organizations.client_id = clients.id
    ORDER BY organizations.id`;
}

import type { QueryConfig } from 'pg';

/* The SQL of this module that TypeORM's repositories cannot say. */

export interface CallerRow {
  client_id: number;
  key_id: number;
  is_admin: boolean;
  /** Milliseconds until the key ends, by the clock of the database; null: it does not. */
  expires_in: number | null;
  /** Whether its use is noted for this hour. */
  is_noted: boolean;
  /** What the client may manage; `slugs` are in the same order. */
  organization_ids: number[];
  slugs: string[];
}

const THIS_HOUR = `date_trunc('hour', now(), 'UTC')`;

const IS_LIVE = `coalesce(api_keys.expires_at, 'infinity') > now()`;

/** Returns the client that a live key belongs to; no row when there is none. */
export function findCaller(hash: Buffer): QueryConfig {
  return {
    name: 'find caller',
    text: `
      SELECT clients.id AS client_id, api_keys.id AS key_id, clients.is_admin,
        (extract(epoch FROM api_keys.expires_at - now()) * 1000)::float8 AS expires_in,
        api_keys.last_used_at IS NOT DISTINCT FROM ${THIS_HOUR} AS is_noted,
        ARRAY(${managed('organizations.id')}) AS organization_ids,
        ARRAY(${managed('organizations.slug::text')}) AS slugs
      FROM api_keys
      JOIN clients ON clients.id = api_keys.client_id
      WHERE api_keys.hash = $1 AND ${IS_LIVE}`,
    values: [hash],
  };
}

export const NOTE_USE = `UPDATE api_keys SET last_used_at = ${THIS_HOUR} WHERE id = $1`;

/** One change to clients comes after the other, so that each sees what the ones before have left. Reads go on. */
export const SERIALIZE_CHANGES = 'LOCK TABLE clients IN SHARE ROW EXCLUSIVE MODE';

/** Returns whether a key is still that of an admin; no row when it is no more. */
export const IS_ADMIN_STILL = `
  SELECT clients.is_admin
  FROM api_keys
  JOIN clients ON clients.id = api_keys.client_id
  WHERE api_keys.id = $1 AND ${IS_LIVE}`;

export const DELETE_EXPIRED_KEYS = `DELETE FROM api_keys WHERE client_id = $1 AND NOT (${IS_LIVE})`;

/** Lets the keys of a client end at a time, unless they end before it anyway. */
export const END_KEYS = `UPDATE api_keys SET expires_at = least(expires_at, $2) WHERE client_id = $1`;

/** Lets a client manage organizations; returns the IDs of those that there are. */
export const GRANT_ORGANIZATIONS = `
  INSERT INTO client_organizations (client_id, organization_id)
  SELECT $1, id FROM organizations WHERE id = ANY($2)
  RETURNING organization_id`;

function managed(column: string): string {
  return `
    SELECT ${column}
    FROM client_organizations
    JOIN organizations ON organizations.id = client_organizations.organization_id
    WHERE client_organizations.client_id = clients.id
    ORDER BY organizations.id`;
}

import { IS_UNEXPIRED } from '../auth/auth.queries.js';

/* The SQL of this module that TypeORM's repositories cannot express. */

/**
 * Makes changes to clients run one after another, so that each sees the result of the one before. Reads are not
 * blocked.
 */
export const LOCK_CLIENTS = 'LOCK TABLE clients IN SHARE ROW EXCLUSIVE MODE';

/** Whether key `$1` belongs to an admin. No row if the key was revoked or has expired. */
export const IS_STILL_ADMIN = `
  SELECT clients.is_admin
  FROM api_keys
  JOIN clients ON clients.id = api_keys.client_id
  WHERE api_keys.id = $1 AND ${IS_UNEXPIRED}`;

/** Deletes the expired keys of client `$1`. */
export const DELETE_EXPIRED_KEYS = `DELETE FROM api_keys WHERE client_id = $1 AND NOT (${IS_UNEXPIRED})`;

/** Makes the keys of client `$1` expire at `$2`, unless they expire earlier. */
export const EXPIRE_KEYS = `UPDATE api_keys SET expires_at = least(expires_at, $2) WHERE client_id = $1`;

/** Lets client `$1` manage those of the organizations `$2` that exist, and returns their IDs. */
export const GRANT_ORGANIZATIONS = `
  INSERT INTO client_organizations (client_id, organization_id)
  SELECT $1, id FROM organizations WHERE id = ANY($2)
  RETURNING organization_id`;

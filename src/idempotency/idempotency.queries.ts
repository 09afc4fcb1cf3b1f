/* All SQL of this module. */

/** How long a key is valid. */
const LIFETIME = `interval '24 hours'`;

/**
 * Locks key `$2` of client `$1` until the transaction ends, unless another transaction of any process holds the lock.
 * Two keys with the same hash share a lock, which costs a client one retry.
 */
export const LOCK_KEY = `SELECT pg_try_advisory_xact_lock(hashtextextended($1 || ' ' || $2, 0)) AS is_taken`;

/** Finds the response that was saved under a key. No row if the key is new or has expired. */
export const FIND_RESPONSE = `
  SELECT fingerprint, answer FROM idempotency_keys
  WHERE caller = $1 AND key = $2 AND created_at > now() - ${LIFETIME}`;

/** Saves a response, and deletes up to ten expired ones, so that they cannot accumulate. */
export const SAVE_RESPONSE = `
  WITH expired AS (
    SELECT caller, key FROM idempotency_keys
    WHERE created_at <= now() - ${LIFETIME} AND (caller, key) <> ($1, $2)
    ORDER BY created_at
    LIMIT 10
    FOR UPDATE SKIP LOCKED
  ),
  deleted AS (
    DELETE FROM idempotency_keys USING expired
    WHERE idempotency_keys.caller = expired.caller AND idempotency_keys.key = expired.key
  )
  INSERT INTO idempotency_keys (caller, key, fingerprint, answer) VALUES ($1, $2, $3, $4)
  ON CONFLICT (caller, key) DO UPDATE
  SET fingerprint = excluded.fingerprint, answer = excluded.answer, created_at = excluded.created_at`;

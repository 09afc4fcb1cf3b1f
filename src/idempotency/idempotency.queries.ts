/* All SQL of this module. */

/** How long a key is remembered. */
const LIFETIME = `interval '24 hours'`;

/**
 * Takes a key for the rest of the transaction and returns whether that worked: it does not while another transaction,
 * of any process, has it. Two keys whose hashes are equal are taken for one, which costs a caller one more try.
 */
export const LOCK_KEY = `SELECT pg_try_advisory_xact_lock(hashtextextended($1 || ' ' || $2, 0)) AS is_taken`;

/** Returns what was answered to the request that brought the key; no row for a key that is new or too old. */
export const FIND_RESPONSE = `
  SELECT fingerprint, answer FROM idempotency_keys
  WHERE caller = $1 AND key = $2 AND created_at > now() - ${LIFETIME}`;

/** Keeps an answer, and deletes some that are too old: more than one for each that comes, so they cannot pile up. */
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

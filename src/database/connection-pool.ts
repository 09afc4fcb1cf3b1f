import pg, { type Pool, type PoolClient } from 'pg';
import { isSessionError } from './postgres-errors.js';

/**
 * The shortest time between two replacements of all connections, in milliseconds. New ones do not always help, for
 * example on a standby.
 */
const REPLACEMENT_INTERVAL = 1000;

/**
 * Ignores the 'error' event of a lost connection, which would end the process. Its statement fails anyway, or the pool
 * removes it.
 */
export class Connection extends pg.Client {
  readonly openedAt = performance.now();
  hasSessionError = false;

  constructor(config?: pg.ClientConfig) {
    super(config);
    this.on('error', () => undefined);
    this.connection.on('errorMessage', (error: pg.DatabaseError) => {
      this.hasSessionError ||= isSessionError(error);
    });
  }
}

/**
 * Closes connections that return to the pool in an unusable state: in the middle of a statement or a transaction, for
 * example after a timeout of the driver, or with an error of their session. After such an error, the other connections
 * are likely to have the same one, so the pool replaces all of them.
 */
export function discardUnusableConnections(pool: Pool): void {
  let replacedAt = -Infinity;
  pool.on('release', (_error, client) => {
    const connection = client as PoolClient & Connection & { readyForQuery: boolean };
    if (connection.hasSessionError && performance.now() > replacedAt + REPLACEMENT_INTERVAL) {
      replacedAt = performance.now();
      closeIdleConnections(pool);
    }
    const isDirty = !connection.readyForQuery || connection.getTransactionStatus() !== 'I';
    if (isDirty || connection.hasSessionError || connection.openedAt < replacedAt) void connection.end();
  });
}

/** The pool has no method that closes its idle connections, but closes one that is released with an error. */
function closeIdleConnections(pool: Pool): void {
  for (let count = pool.idleCount; count > 0; count--) {
    pool.connect((error, _client, release) => {
      if (error === undefined) release(true);
    });
  }
}

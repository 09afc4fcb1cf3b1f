import pg from 'pg';
import {
  QueryFailedError,
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
} from 'typeorm';

/** The messages of the driver and its pool when there is no connection. These errors have no code. */
const NO_CONNECTION =
  /^(timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error|Client was closed|Query read timeout|Cannot use a pool after calling end)/;

/**
 * SQLSTATE `read_only_sql_transaction` (the session began on a standby), `admin_shutdown` (the session was terminated)
 * and `idle_session_timeout`. Not `crash_shutdown`, which may come after the commit.
 */
const SESSION_ERRORS = ['25006', '57P01', '57P05'];

/** The system errors of a connection that cannot be made or was lost. */
const NETWORK_ERRORS = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

/** @returns the error of PostgreSQL inside an error of `pg` or TypeORM; undefined if there is none */
export function postgresError(error: unknown): pg.DatabaseError | undefined {
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  return cause instanceof pg.DatabaseError ? cause : undefined;
}

/**
 * Whether PostgreSQL rolled back because of a conflict with another transaction: a serialization failure or a deadlock.
 */
export function isRetryable(error: unknown): boolean {
  return ['40001', '40P01'].includes(postgresError(error)?.code ?? '');
}

/**
 * Whether an error comes from the state of the session, so that a new session may succeed. In each case, nothing was
 * committed: PostgreSQL reports these errors before the commit, and TypeORM does not send the rest of a transaction.
 */
export function isSessionError(error: unknown): boolean {
  if (isReleased(error)) return true;
  const { code = '', routine } = postgresError(error) ?? {};
  // "cached plan must not change result type" has no SQLSTATE of its own, and its message may be localized.
  return SESSION_ERRORS.includes(code) || (code === '0A000' && routine === 'RevalidateCachedQuery');
}

/** Whether the database could not be reached, or the connection was lost before it responded. */
export function isConnectionFailure(error: unknown): boolean {
  if (isReleased(error)) return true;
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  if (!(cause instanceof Error) || cause instanceof pg.DatabaseError) return false;
  const { code = '', syscall, message }: NodeJS.ErrnoException = cause;
  return syscall === 'connect' || NETWORK_ERRORS.has(code) || NO_CONNECTION.test(message);
}

/** TypeORM releases a lost connection, also between two statements of a transaction. */
function isReleased(error: unknown): boolean {
  return (
    error instanceof QueryRunnerAlreadyReleasedError ||
    error instanceof QueryRunnerProviderAlreadyReleasedError
  );
}

/**
 * The message of an error, for one line of the log. It contains no value of a request, which data exceptions of
 * PostgreSQL quote. When every address of a host refuses, Node.js throws an AggregateError without a message.
 */
export function errorMessage(error: unknown): string {
  const [first = error] = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  const message = first instanceof Error ? first.message : String(first);
  // How the driver says that the server asks for a password.
  if (message.includes('client password must be')) return 'the server requires a password';
  const isDataError = postgresError(first)?.code?.startsWith('22');
  return (isDataError ? message.replace(/".*"/s, '"…"') : message).replaceAll(/\s*\n\s*/g, ' ');
}

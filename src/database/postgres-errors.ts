import pg from 'pg';
import {
  QueryFailedError,
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
} from 'typeorm';

/** What the driver and its pool say when there is no connection; these errors have no code. */
const NO_CONNECTION =
  /^(timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error|Client was closed|Query read timeout|Cannot use a pool after calling end)/;

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

/** PostgreSQL's own refusal in an error from `pg` or TypeORM; undefined when it is no such refusal. */
export function postgresError(error: unknown): pg.DatabaseError | undefined {
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  return cause instanceof pg.DatabaseError ? cause : undefined;
}

/** Whether PostgreSQL undid the work for the sake of another's: a serialization failure or a deadlock. */
export function isRetryable(error: unknown): boolean {
  return ['40001', '40P01'].includes(postgresError(error)?.code ?? '');
}

/** Whether an error says that the database could not be asked, or went away before it answered. */
export function isConnectionFailure(error: unknown): boolean {
  // TypeORM gives a connection up that is lost, also between two statements of a transaction.
  if (error instanceof QueryRunnerAlreadyReleasedError) return true;
  if (error instanceof QueryRunnerProviderAlreadyReleasedError) return true;
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  if (!(cause instanceof Error) || cause instanceof pg.DatabaseError) return false;
  const { code = '', syscall, message }: NodeJS.ErrnoException = cause;
  return syscall === 'connect' || NETWORK_ERRORS.has(code) || NO_CONNECTION.test(message);
}

import { isConnectionFailure, isSessionError, postgresError } from '../database/postgres-errors.js';
import { DETAIL_BY_STATUS, type UnsentProblemDetails, createProblemDetails } from './problem-details.js';

/** The response while the database is unavailable. */
export const DATABASE_UNAVAILABLE = createProblemDetails(503, DETAIL_BY_STATUS[503]);

/** The response while the disk of the database is full. */
export const DISK_FULL = createProblemDetails(503, 'The database has no space left.');

/** The response when the sequence of a table yields an ID that a row already has. */
export const SEQUENCE_BEHIND = createProblemDetails(
  503,
  'A new ID is already in use, so nothing can be created here until the operator repairs the database.',
);

const NOT_STORABLE = createProblemDetails(400, 'A value cannot be stored.');

/**
 * Maps a SQLSTATE, or its class, to a response (PostgreSQL documentation, appendix A). What is not listed is a bug in
 * the service: 500.
 */
const PROBLEM_BY_SQLSTATE: Record<string, UnsentProblemDetails | undefined> = {
  '08': DATABASE_UNAVAILABLE, // connection exception
  '22001': NOT_STORABLE, // string data right truncation
  '22021': NOT_STORABLE, // character not in repertoire
  '22P02': NOT_STORABLE, // invalid text representation
  '23503': createProblemDetails(404, 'What the request refers to has just been deleted.'), // foreign key violation
  '25P03': DATABASE_UNAVAILABLE, // idle in transaction session timeout
  '25P04': DATABASE_UNAVAILABLE, // transaction timeout
  '28': DATABASE_UNAVAILABLE, // invalid authorization specification
  '3D': DATABASE_UNAVAILABLE, // invalid catalog name: the database is gone
  '42501': DATABASE_UNAVAILABLE, // insufficient privilege: the role has lost a permission
  '40': DATABASE_UNAVAILABLE, // transaction rollback: deadlock or serialization failure
  '53100': DISK_FULL, // disk full
  '53': DATABASE_UNAVAILABLE, // insufficient resources
  '55000': DATABASE_UNAVAILABLE, // object not in prerequisite state: the database accepts no connections
  '55P03': DATABASE_UNAVAILABLE, // lock not available
  '57': DATABASE_UNAVAILABLE, // operator intervention: shutdown, or the statement took too long
  '58': DATABASE_UNAVAILABLE, // system error
};

/** @returns the response to an error of the database; undefined for any other error, and for a bug in the service */
export function postgresProblem(error: unknown): UnsentProblemDetails | undefined {
  const { code = '', severity = '' } = postgresError(error) ?? {};
  const problem = PROBLEM_BY_SQLSTATE[code] ?? PROBLEM_BY_SQLSTATE[code.slice(0, 2)];
  if (problem === DISK_FULL) return problem;
  // FATAL ends the session and PANIC the server, whatever the SQLSTATE. A server with localized messages also localizes
  // the severity; then the table decides.
  const isUnavailable = severity === 'FATAL' || severity === 'PANIC' || isSessionError(error);
  if (isConnectionFailure(error) || isUnavailable) return DATABASE_UNAVAILABLE;
  return findSequenceBehind(error) === undefined ? problem : SEQUENCE_BEHIND;
}

/**
 * @returns for the operator: which ID sequence is behind, for instance after a restore, and the SQL that repairs it;
 *   undefined for any other error
 */
export function findSequenceBehind(error: unknown): string | undefined {
  const { code, constraint, table } = postgresError(error) ?? {};
  if (code !== '23505' || table === undefined || constraint !== `pk_${table}`) return undefined;
  return (
    `The ID sequence of ${table} is behind its rows. Run ` +
    `SELECT setval(pg_get_serial_sequence('${table}', 'id'), max(id)) FROM ${table};`
  );
}

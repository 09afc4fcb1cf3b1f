import { isConnectionFailure, postgresError } from '../database/database-errors.js';
import { DETAILS, type Problem, problem } from './problem.js';

/** What a caller is told when the database cannot answer now. */
export const UNAVAILABLE = problem(503, DETAILS[503]);

const NOT_STORABLE = problem(400, 'A value cannot be stored.');

/**
 * What a refusal by PostgreSQL means to the caller, by its SQLSTATE or the class of that
 * (PostgreSQL documentation, appendix A). An unlisted one is a fault of the service: 500.
 */
const PROBLEMS_BY_SQLSTATE: Record<string, Problem | undefined> = {
  '08': UNAVAILABLE, // connection exception
  '22001': NOT_STORABLE, // string data right truncation
  '22021': NOT_STORABLE, // character not in repertoire
  '22P02': NOT_STORABLE, // invalid text representation
  '23503': problem(404, 'What the request refers to has just been deleted.'), // foreign key violation
  '25P03': UNAVAILABLE, // idle in transaction session timeout
  '25P04': UNAVAILABLE, // transaction timeout
  '25006': UNAVAILABLE, // read only SQL transaction: the server is a standby
  '28': UNAVAILABLE, // invalid authorization specification
  '3D': UNAVAILABLE, // invalid catalog name: the database is gone
  '40': UNAVAILABLE, // transaction rollback: deadlock or serialization failure
  '53': UNAVAILABLE, // insufficient resources
  '55000': UNAVAILABLE, // object not in prerequisite state: the database accepts no connections
  '55P03': UNAVAILABLE, // lock not available
  '57': UNAVAILABLE, // operator intervention: shutdown, or the statement took too long
  '58': UNAVAILABLE, // system error
};

/** What a failure of the database means to the caller; undefined for any other error, and for what is the service's own fault. */
export function databaseProblem(error: unknown): Problem | undefined {
  const { code = '', severity = '' } = postgresError(error) ?? {};
  // Whatever the reason, the server ends the connection, or itself. (A server that speaks another language has other
  // words for it; those that are known to end a connection are in the table, too.)
  if (isConnectionFailure(error) || severity === 'FATAL' || severity === 'PANIC') return UNAVAILABLE;
  return PROBLEMS_BY_SQLSTATE[code] ?? PROBLEMS_BY_SQLSTATE[code.slice(0, 2)];
}

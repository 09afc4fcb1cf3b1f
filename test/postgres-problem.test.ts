import pg from 'pg';
import {
  QueryFailedError,
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
} from 'typeorm';
import { describe, expect, it } from 'vitest';
import { postgresProblem } from '../src/common/postgres-problem.js';

function databaseError(code: string): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError('relation "secrets" does not exist', 1, 'error'), { code });
}

describe('A PostgreSQL error', () => {
  it.each([
    ['08006', 'connection_failure', 503],
    ['22021', 'character_not_in_repertoire', 400],
    ['22P02', 'invalid_text_representation', 400],
    ['23503', 'foreign_key_violation', 404],
    ['25006', 'read_only_sql_transaction', 503],
    ['28P01', 'invalid_password', 503],
    ['3D000', 'invalid_catalog_name', 503],
    ['40001', 'serialization_failure', 503],
    ['40P01', 'deadlock_detected', 503],
    ['42501', 'insufficient_privilege', 503],
    ['53100', 'disk_full', 503],
    ['53300', 'too_many_connections', 503],
    ['55P03', 'lock_not_available', 503],
    ['57014', 'query_canceled', 503],
    ['57P01', 'admin_shutdown', 503],
    ['57P03', 'cannot_connect_now', 503],
    ['58030', 'io_error', 503],
  ])('with SQLSTATE %s (%s) becomes a %i', (code, _, status) => {
    const error = databaseError(code);
    for (const thrown of [error, new QueryFailedError('SELECT', [], error)]) {
      expect(postgresProblem(thrown)).toMatchObject({ status });
      expect(JSON.stringify(postgresProblem(thrown))).not.toContain('secrets');
    }
  });

  it.each(['ERROR', 'FATAL', 'PANIC'])(
    'with severity %s that reports a full disk becomes a 503 that says so',
    (severity) => {
      expect(postgresProblem(Object.assign(databaseError('53100'), { severity }))).toMatchObject({
        status: 503,
        detail: 'The database has no space left.',
      });
    },
  );

  it.each(['FATAL', 'PANIC'])('with severity %s becomes a 503, whatever its SQLSTATE', (severity) => {
    expect(postgresProblem(Object.assign(databaseError('XX000'), { severity }))).toMatchObject({
      status: 503,
    });
  });

  it('for an ID that is already in use becomes a 503, unlike other unique violations', () => {
    const violation = (constraint: string) =>
      Object.assign(databaseError('23505'), { table: 'phones', constraint });
    expect(postgresProblem(violation('pk_phones'))).toMatchObject({ status: 503 });
    expect(postgresProblem(violation('uq_phones_primary'))).toBeUndefined();
  });

  it('about a prepared statement whose result has changed becomes a 503', () => {
    const error = Object.assign(databaseError('0A000'), { routine: 'RevalidateCachedQuery' });
    expect(postgresProblem(error)).toMatchObject({ status: 503 });
  });

  it.each(['0A000', '42P01', '22012', '23514', '25P02', 'XX000', ''])(
    'with SQLSTATE %j is an error of the service and has no problem details',
    (code) => {
      expect(postgresProblem(databaseError(code))).toBeUndefined();
    },
  );
});

describe('A connection error', () => {
  it.each([
    Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' }),
    Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }),
    Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
    new Error('Connection terminated unexpectedly'),
    new Error('timeout exceeded when trying to connect'),
    new QueryFailedError('SELECT', [], new Error('Connection terminated unexpectedly')),
    new QueryRunnerAlreadyReleasedError(),
    new QueryRunnerProviderAlreadyReleasedError(),
  ])('becomes a 503: %s', (error) => {
    expect(postgresProblem(error)).toMatchObject({ status: 503 });
  });

  it.each([new TypeError('x is not a function'), 'a string', undefined])('does not include %s', (error) => {
    expect(postgresProblem(error)).toBeUndefined();
  });
});

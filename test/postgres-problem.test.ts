import pg from 'pg';
import {
  QueryFailedError,
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
} from 'typeorm';
import { describe, expect, it } from 'vitest';
import { postgresProblem } from '../src/common/postgres-problem.js';

function refusal(code: string): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError('relation "secrets" does not exist', 1, 'error'), { code });
}

describe('what the database refuses', () => {
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
    ['53100', 'disk_full', 503],
    ['53300', 'too_many_connections', 503],
    ['55P03', 'lock_not_available', 503],
    ['57014', 'query_canceled', 503],
    ['57P01', 'admin_shutdown', 503],
    ['57P03', 'cannot_connect_now', 503],
    ['58030', 'io_error', 503],
  ])('with %s (%s) is answered %s', (code, _, status) => {
    const error = refusal(code);
    for (const one of [error, new QueryFailedError('SELECT', [], error)]) {
      expect(postgresProblem(one)).toMatchObject({ status });
      expect(JSON.stringify(postgresProblem(one))).not.toContain('secrets');
    }
  });

  it.each(['FATAL', 'PANIC'])('with severity %s is answered 503, whatever the code', (severity) => {
    expect(postgresProblem(Object.assign(refusal('XX000'), { severity }))).toMatchObject({ status: 503 });
  });

  it.each(['42P01', '22012', '23514', '25P02', 'XX000', ''])('with %s is a fault of the service', (code) => {
    expect(postgresProblem(refusal(code))).toBeUndefined();
  });
});

describe('a database that cannot be asked', () => {
  it.each([
    Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' }),
    Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }),
    Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
    new Error('Connection terminated unexpectedly'),
    new Error('timeout exceeded when trying to connect'),
    new QueryFailedError('SELECT', [], new Error('Connection terminated unexpectedly')),
    new QueryRunnerAlreadyReleasedError(),
    new QueryRunnerProviderAlreadyReleasedError(),
  ])('is answered 503: %s', (error) => {
    expect(postgresProblem(error)).toMatchObject({ status: 503 });
  });

  it.each([new TypeError('x is not a function'), 'a string', undefined])('is not what %s says', (error) => {
    expect(postgresProblem(error)).toBeUndefined();
  });
});

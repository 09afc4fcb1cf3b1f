import { Pool } from 'pg';
import { describe, expect, it } from 'vitest';
import { app, expectProblem, request } from './support/api.js';
import { databaseSettings, onServer, SERVER } from './support/database.js';
import { createOwner, createPhone, listPhones } from './support/owners.js';

describe('the service', () => {
  it('is live, and ready', async () => {
    expect(await request('GET', '/health/live')).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(await request('GET', '/health/ready')).toMatchObject({ status: 200, body: { status: 'ok' } });
  });

  it('answers 503 when the database does not answer in time, and recovers', async () => {
    const owner = await createOwner('organization');
    const pool = app.get(Pool);
    const taken = await Promise.all(Array.from({ length: pool.options.max }, () => pool.connect()));
    const answers = await Promise.all([
      request('GET', `${owner}/phones`),
      request('POST', `${owner}/phones`, { digits: '211' }),
      request('GET', '/v1/organizations'),
      request('GET', '/health/ready'),
    ]);
    expect(await request('GET', '/health/live')).toMatchObject({ status: 200 });
    for (const client of taken) client.release();
    for (const answer of answers) {
      expectProblem(answer, 503);
      expect(answer.headers['retry-after']).toBe('5');
    }
    expect((await request('GET', '/health/ready')).status).toBe(200);
    expect((await request('GET', `${owner}/phones`)).status).toBe(200);
  });

  it('goes on with a new connection after one was lost', async () => {
    const owner = await createOwner('organization');
    const phone = await createPhone(owner);
    const pool = app.get(Pool);
    for (let count = 0; count < pool.options.max; count++) {
      const client = await pool.connect();
      client.release(true);
    }
    expect(await listPhones(owner)).toEqual([phone]);
  });

  it(
    'answers 503 while the database is away, and recovers by itself',
    { skip: SERVER === undefined },
    async () => {
      const owner = await createOwner('location');
      const phone = await createPhone(owner);
      const database = new URL(databaseSettings().DATABASE_URL ?? '').pathname.slice(1);
      await onServer(`ALTER DATABASE ${database} ALLOW_CONNECTIONS false`);
      await onServer(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database}'`);

      for (const [method, path] of [
        ['GET', `${owner}/phones`],
        ['POST', `${owner}/phones`],
        ['DELETE', `${owner}/phones/${phone.id}`],
        ['GET', '/v1/organizations'],
        ['GET', '/health/ready'],
      ] as const) {
        const answer = await request(method, path, method === 'POST' ? { digits: '211' } : undefined);
        expectProblem(answer, 503);
        expect(answer.headers['retry-after']).toBe('5');
        expect(JSON.stringify(answer.body)).not.toContain(database);
      }
      expect((await request('GET', '/health/live')).status).toBe(200);

      await onServer(`ALTER DATABASE ${database} ALLOW_CONNECTIONS true`);
      expect((await request('GET', '/health/ready')).status).toBe(200);
      expect(await listPhones(owner)).toEqual([phone]);
    },
  );
});

import { Pool } from 'pg';
import { DataSource } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { app, expectProblem, request, restart } from './support/api.js';
import { databaseSettings, onServer, SERVER } from './support/database.js';
import { createOwner, createPhone, listPhones } from './support/owners.js';

describe('The service', () => {
  it('is live and ready after it has started', async () => {
    expect(await request('GET', '/health/live')).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(await request('GET', '/health/ready')).toMatchObject({ status: 200, body: { status: 'ok' } });
  });

  it('is ready as soon as its own migrations have run, even if a later version has run others', async () => {
    const database = app.get(DataSource);
    await database.query(
      `INSERT INTO migrations (timestamp, name) VALUES (1999000000000, 'Later1999000000000')`,
    );
    expect((await request('GET', '/health/ready')).status).toBe(200);
    await restart({});
    expect((await request('GET', '/health/ready')).status).toBe(200);

    const [{ name } = {}] = database.migrations;
    await database.query(`UPDATE migrations SET name = 'Unknown' WHERE name = $1`, [name]);
    expectProblem(await request('GET', '/health/ready'), 503);
    await database.query(`UPDATE migrations SET name = $1 WHERE name = 'Unknown'`, [name]);
    expect((await request('GET', '/health/ready')).status).toBe(200);
  });

  it('returns 503 while no database connection becomes free in time, and recovers', async () => {
    await restart({ DATABASE_CONNECT_TIMEOUT: '1000' });
    const owner = await createOwner('organization');
    const pool = app.get(Pool);
    const connections = await Promise.all(Array.from({ length: pool.options.max }, () => pool.connect()));
    const responses = await Promise.all([
      request('GET', `${owner}/phones`),
      request('POST', `${owner}/phones`, { digits: '211' }, { 'idempotency-key': 'while-busy' }),
      request('GET', '/v1/organizations'),
      request('GET', '/health/ready'),
    ]);
    expect(await request('GET', '/health/live')).toMatchObject({ status: 200 });
    for (const connection of connections) connection.release();
    const [list, creation, ...others] = responses;
    expectProblem(creation, 503, expect.stringContaining('Idempotency-Key'));
    for (const response of [list, ...others]) {
      expectProblem(response, 503, 'The database is unavailable or too slow. Retry later.');
    }
    for (const response of responses) expect(response.headers['retry-after']).toBe('5');
    expect((await request('GET', '/health/ready')).status).toBe(200);
    expect((await request('GET', `${owner}/phones`)).status).toBe(200);
    await restart({});
  });

  it('opens a new connection after one was lost', async () => {
    const owner = await createOwner('organization');
    const phone = await createPhone(owner);
    const pool = app.get(Pool);
    for (let count = 0; count < pool.options.max; count++) {
      const connection = await pool.connect();
      connection.release(true);
    }
    expect(await listPhones(owner)).toEqual([phone]);
  });

  it(
    'returns 503 while the database is unavailable, and recovers by itself',
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
        const response = await request(method, path, method === 'POST' ? { digits: '211' } : undefined);
        expectProblem(response, 503);
        expect(response.headers['retry-after']).toBe('5');
        expect(JSON.stringify(response.body)).not.toContain(database);
      }
      expect((await request('GET', '/health/live')).status).toBe(200);

      await onServer(`ALTER DATABASE ${database} ALLOW_CONNECTIONS true`);
      expect((await request('GET', '/health/ready')).status).toBe(200);
      expect(await listPhones(owner)).toEqual([phone]);
    },
  );
});

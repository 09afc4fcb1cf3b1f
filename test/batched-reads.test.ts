import { Pool } from 'pg';
import { describe, expect, it } from 'vitest';
import { listPhones as listPhonesQuery } from '../src/phones/phone.queries.js';
import { PhonesLoader } from '../src/phones/phones.loader.js';
import { app, expectProblem, request, restart } from './support/api.js';
import { SERVER } from './support/database.js';
import {
  createOrganization,
  createOwner,
  createPhone,
  listPhones,
  OWNER_TYPES,
  type Phone,
} from './support/owners.js';

/** More reads than one statement can batch. */
const MANY = 100;

/** Returns the names of the prepared statements that the pool executes during `action`. */
async function statementsDuring(action: () => Promise<unknown>): Promise<string[]> {
  const pool = app.get(Pool);
  const names: string[] = [];
  const query = pool.query.bind(pool) as (config: { name?: string }) => unknown;
  pool.query = ((config: { name?: string }) => {
    names.push(config.name ?? '');
    return query(config);
  }) as typeof pool.query;
  try {
    await action();
  } finally {
    Reflect.deleteProperty(pool, 'query');
  }
  return names;
}

describe.each(OWNER_TYPES)('Concurrent reads of phones with owner type %s', (type) => {
  it('share statements, and each returns its own result', async () => {
    const owners: [string, Phone[]][] = [];
    for (let count = 0; count < 5; count += 1) {
      const owner = await createOwner(type);
      for (let number = 0; number < count; number += 1)
        await createPhone(owner, { digits: `${count}0${number}` });
      owners.push([owner, await listPhones(owner)]);
    }
    const names = await statementsDuring(async () => {
      const responses = await Promise.all(
        Array.from({ length: MANY }, async (_, index) => {
          const [owner, phones] = owners[index % owners.length] ?? ['', []];
          const [first] = phones;
          const list = await request<Phone[]>('GET', `${owner}/phones`);
          const one = await request<Phone>('GET', `${owner}/phones/${first?.id ?? 2_000_000_000}`);
          return { list: list.body, phones, one, first };
        }),
      );
      for (const { list, phones, one, first } of responses) {
        expect(list).toEqual(phones);
        if (first === undefined) expectProblem(one, 404, 'There is no such phone.');
        else expect(one).toMatchObject({ status: 200, body: first });
      }
    });
    expect(names.length).toBeLessThan(MANY);
  });

  it('succeed next to reads whose owner does not exist, which return 404', async () => {
    const owner = await createOwner(type);
    const phone = await createPhone(owner);
    const missingOwner = `${owner.slice(0, owner.lastIndexOf('/'))}/2000000000`;
    const responses = await Promise.all(
      Array.from({ length: MANY }, (_, index) =>
        request('GET', `${index % 2 === 0 ? owner : missingOwner}/phones`),
      ),
    );
    for (const [index, response] of responses.entries()) {
      if (index % 2 === 0) expect(response).toMatchObject({ status: 200, body: [phone] });
      else expectProblem(response, 404, `There is no such ${type}.`);
    }
  });
});

it('Concurrent reads by ID and by slug use one statement each', async () => {
  const { id, slug } = await createOrganization();
  const phone = await createPhone(`/v1/organizations/${id}`);
  const paths = [`/v1/organizations/${id}/phones`, `/v1/organizations/${slug}/phones`];
  const names = await statementsDuring(async () => {
    const responses = await Promise.all(paths.map((path) => request('GET', path)));
    for (const response of responses) expect(response).toMatchObject({ status: 200, body: [phone] });
  });
  expect(names.sort()).toEqual(['list phones of organization by id', 'list phones of organization by slug']);
});

it('A single read executes one statement', async () => {
  const owner = await createOwner('location');
  const names = await statementsDuring(() => request('GET', `${owner}/phones`));
  expect(names).toEqual(['list phones of location by id of organization by id']);
});

it('Reads of the same phones that share a statement find them once', async () => {
  const [first, second] = [await createOrganization(), await createOrganization()];
  const sizes: number[] = [];
  const loader = new PhonesLoader<string>(app.get(Pool), (lookups) => {
    sizes.push(lookups.length);
    return listPhonesQuery(lookups);
  });
  const owners = Array.from({ length: MANY }, (_, number) => (number % 2 === 0 ? first : second));
  const lists = await Promise.all(
    owners.map(({ id }) => loader.load({ owner: { type: 'organization', id }, includesDialing: false })),
  );
  expect(new Set(lists)).toEqual(new Set(['[]']));
  expect(Math.max(...sizes)).toBe(2);
});

it('A read returns the result of an earlier write while other reads are in progress', async () => {
  const owner = await createOwner('organization');
  let isDone = false;
  const readAll = async () => {
    while (!isDone) await request('GET', `${owner}/phones`);
  };
  const readers = Array.from({ length: 5 }, readAll);
  for (let count = 1; count <= 20; count += 1) {
    await createPhone(owner);
    expect(await listPhones(owner)).toHaveLength(count);
  }
  isDone = true;
  await Promise.all(readers);
});

// The embedded database has a single session, so no other session can cancel its statement.
it('A failed statement fails only the reads that share it', { skip: SERVER === undefined }, async () => {
  const { id, slug } = await createOrganization();
  const phone = await createPhone(`/v1/organizations/${id}`);
  const pool = app.get(Pool);
  const locker = await pool.connect();
  await locker.query('BEGIN');
  await locker.query('LOCK TABLE phones');
  const failing = Array.from({ length: 10 }, () => request('GET', `/v1/organizations/${id}/phones`));
  const blockedBackends = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  let backends: { pid: number }[] = [];
  while (backends.length === 0) backends = (await locker.query<{ pid: number }>(blockedBackends)).rows;
  const unaffected = Array.from({ length: 10 }, () => request('GET', `/v1/organizations/${slug}/phones`));
  await locker.query('SELECT pg_cancel_backend($1)', [backends[0]?.pid]);
  // Only the reads of the first statement fail. The reads that were queued behind it run in the next one.
  expectProblem(await Promise.race(failing), 503);
  await locker.query('ROLLBACK');
  locker.release();
  for (const response of await Promise.all(unaffected))
    expect(response).toMatchObject({ status: 200, body: [phone] });
  const statuses = (await Promise.all(failing)).map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set([200, 503]));
  expect(await request('GET', `/v1/organizations/${id}/phones`)).toMatchObject({
    status: 200,
    body: [phone],
  });
});

// The embedded database has a single session, so no other session can hold a lock.
it('A read that waits too long in the queue returns 503', { skip: SERVER === undefined }, async () => {
  await restart({ DATABASE_CONNECT_TIMEOUT: '200', DATABASE_LOCK_TIMEOUT: '500' });
  const { id } = await createOrganization();
  const pool = app.get(Pool);
  const locker = await pool.connect();
  await locker.query('BEGIN');
  await locker.query('LOCK TABLE phones');
  // The first statement has half of the reads and waits for the lock longer than the other reads may be queued.
  const responses = await Promise.all(
    Array.from({ length: MANY }, () => request('GET', `/v1/organizations/${id}/phones`)),
  );
  await locker.query('ROLLBACK');
  locker.release();
  for (const response of responses) expectProblem(response, 503);
  const details = responses.map(({ body }) => (body as { detail: string }).detail);
  expect(details).toContain('The database is overloaded. Retry later.');
  expect((await request('GET', `/v1/organizations/${id}/phones`)).status).toBe(200);
});

import { Pool } from 'pg';
import { describe, expect, it } from 'vitest';
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

/** More than one statement takes. */
const MANY = 100;

/** The statements that reads of phones have sent while something was done, by the names that they are prepared under. */
async function statementsDuring(work: () => Promise<unknown>): Promise<string[]> {
  const pool = app.get(Pool);
  const names: string[] = [];
  const query = pool.query.bind(pool) as (config: { name?: string }) => unknown;
  pool.query = ((config: { name?: string }) => {
    names.push(config.name ?? '');
    return query(config);
  }) as typeof pool.query;
  try {
    await work();
  } finally {
    Reflect.deleteProperty(pool, 'query');
  }
  return names;
}

describe.each(OWNER_TYPES)('reads of the phones of an owner that overlap: %s', (type) => {
  it('share statements, and each gets its own answer', async () => {
    const owners: [string, Phone[]][] = [];
    for (let count = 0; count < 5; count += 1) {
      const owner = await createOwner(type);
      for (let phone = 0; phone < count; phone += 1)
        await createPhone(owner, { digits: `${count}0${phone}` });
      owners.push([owner, await listPhones(owner)]);
    }
    const names = await statementsDuring(async () => {
      const answers = await Promise.all(
        Array.from({ length: MANY }, async (_, index) => {
          const [owner, phones] = owners[index % owners.length] ?? ['', []];
          const [first] = phones;
          const list = await request<Phone[]>('GET', `${owner}/phones`);
          const one = await request<Phone>('GET', `${owner}/phones/${first?.id ?? 2_000_000_000}`);
          return { list: list.body, phones, one, first };
        }),
      );
      for (const { list, phones, one, first } of answers) {
        expect(list).toEqual(phones);
        if (first === undefined) expectProblem(one, 404, 'There is no such phone.');
        else expect(one).toMatchObject({ status: 200, body: first });
      }
    });
    expect(names.length).toBeLessThan(MANY);
  });

  it('are not harmed by those whose owner is not there', async () => {
    const owner = await createOwner(type);
    const phone = await createPhone(owner);
    const nobody = `${owner.slice(0, owner.lastIndexOf('/'))}/2000000000`;
    const answers = await Promise.all(
      Array.from({ length: MANY }, (_, index) =>
        request('GET', `${index % 2 === 0 ? owner : nobody}/phones`),
      ),
    );
    for (const [index, answer] of answers.entries()) {
      if (index % 2 === 0) expect(answer).toMatchObject({ status: 200, body: [phone] });
      else expectProblem(answer, 404, `There is no such ${type}.`);
    }
  });
});

it('reads by ID and reads by slug have a statement each', async () => {
  const { id, slug } = await createOrganization();
  const phone = await createPhone(`/v1/organizations/${id}`);
  const paths = [`/v1/organizations/${id}/phones`, `/v1/organizations/${slug}/phones`];
  const names = await statementsDuring(async () => {
    const answers = await Promise.all(paths.map((path) => request('GET', path)));
    for (const answer of answers) expect(answer).toMatchObject({ status: 200, body: [phone] });
  });
  expect(names.sort()).toEqual(['list phones of organization by id', 'list phones of organization by slug']);
});

it('a read that is alone is one statement', async () => {
  const owner = await createOwner('location');
  const names = await statementsDuring(() => request('GET', `${owner}/phones`));
  expect(names).toEqual(['list phones of location by id of organization by id']);
});

it('a read after a write sees it, whatever is being read meanwhile', async () => {
  const owner = await createOwner('organization');
  let isOver = false;
  const readAll = async () => {
    while (!isOver) await request('GET', `${owner}/phones`);
  };
  const readers = Array.from({ length: 5 }, readAll);
  for (let count = 1; count <= 20; count += 1) {
    await createPhone(owner);
    expect(await listPhones(owner)).toHaveLength(count);
  }
  isOver = true;
  await Promise.all(readers);
});

// The embedded database has one session, so nothing can end it but itself.
it('a statement that fails takes only the reads that share it', { skip: SERVER === undefined }, async () => {
  const { id, slug } = await createOrganization();
  const phone = await createPhone(`/v1/organizations/${id}`);
  const pool = app.get(Pool);
  const locker = await pool.connect();
  await locker.query('BEGIN');
  await locker.query('LOCK TABLE phones');
  const doomed = Array.from({ length: 10 }, () => request('GET', `/v1/organizations/${id}/phones`));
  const waiting = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  let backends: { pid: number }[] = [];
  while (backends.length === 0) backends = (await locker.query<{ pid: number }>(waiting)).rows;
  const spared = Array.from({ length: 10 }, () => request('GET', `/v1/organizations/${slug}/phones`));
  await locker.query('SELECT pg_terminate_backend($1)', [backends[0]?.pid]);
  // What gathered meanwhile is in the next statement.
  expectProblem(await Promise.race(doomed), 503);
  await locker.query('ROLLBACK');
  locker.release();
  for (const answer of await Promise.all(spared))
    expect(answer).toMatchObject({ status: 200, body: [phone] });
  const statuses = (await Promise.all(doomed)).map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set([200, 503]));
  expect(await request('GET', `/v1/organizations/${id}/phones`)).toMatchObject({
    status: 200,
    body: [phone],
  });
});

// The embedded database has one session, so nothing can hold a lock against it.
it('a read whose turn does not come in time is refused', { skip: SERVER === undefined }, async () => {
  await restart({ DATABASE_CONNECT_TIMEOUT: '200', DATABASE_LOCK_TIMEOUT: '500' });
  const { id } = await createOrganization();
  const pool = app.get(Pool);
  const locker = await pool.connect();
  await locker.query('BEGIN');
  await locker.query('LOCK TABLE phones');
  // The first statement takes half of them and waits for the lock longer than the others wait for their turn.
  const answers = await Promise.all(
    Array.from({ length: MANY }, () => request('GET', `/v1/organizations/${id}/phones`)),
  );
  await locker.query('ROLLBACK');
  locker.release();
  for (const answer of answers) expectProblem(answer, 503);
  const details = answers.map(({ body }) => (body as { detail: string }).detail);
  expect(details).toContain('The database is overloaded. Retry later.');
  expect((await request('GET', `/v1/organizations/${id}/phones`)).status).toBe(200);
});

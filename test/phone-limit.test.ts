import { beforeEach, describe, expect, it } from 'vitest';
import dataSource from '../ormconfig.js';
import { MAX_PHONES } from '../src/phones/phone.queries.js';
import { expectProblem, request } from './support/api.js';
import { createOwner, createPhone, listPhones, OWNER_CASES, type Phone } from './support/owners.js';

const FULL = 'This owner already has 1000 phones, the most that an owner can have; delete one first.';

describe.each(OWNER_CASES)('For %s with 999 phones,', (_, type) => {
  let owner: string;
  let primary: Phone;

  /** Adds phones that are not primary. */
  const addPhones = (count: number) =>
    dataSource.query(
      `INSERT INTO phones (owner_type, owner_id, digits, is_primary)
       SELECT $1, $2, '211', false FROM generate_series(1, $3)`,
      [type, owner.split('/').at(-1), count],
    );

  const primaryPhones = async () => (await listPhones(owner)).filter(({ is_primary }) => is_primary);

  beforeEach(async () => {
    owner = await createOwner(type);
    primary = await createPhone(owner);
    await addPhones(MAX_PHONES - 2);
  });

  it('only one of many concurrent POST requests succeeds, and the others return 409', async () => {
    // This opens all connections of the pool, so that the requests below run concurrently.
    await Promise.all(Array.from({ length: 20 }, () => request('GET', '/v1/organizations')));
    const responses = await Promise.all(
      Array.from({ length: 30 }, (_, number) =>
        request<Phone>('POST', `${owner}/phones`, { digits: '711', is_primary: number % 2 === 0 }),
      ),
    );
    const [created, ...others] = responses.filter(({ status }) => status === 201);
    expect(others).toEqual([]);
    for (const response of responses) if (response !== created) expectProblem(response, 409, FULL);
    expect(await listPhones(owner)).toHaveLength(MAX_PHONES);
    expect(await primaryPhones()).toEqual([created?.body.is_primary ? created.body : primary]);
  });

  it('a POST that returns 409 changes nothing, and succeeds after a phone was deleted', async () => {
    const last = await createPhone(owner);
    const create = (headers?: Record<string, string>) =>
      request<Phone>('POST', `${owner}/phones`, { digits: '711', is_primary: true }, headers);
    const withKey = { 'idempotency-key': `full-${type}` };
    expectProblem(await create(), 409, FULL);
    expectProblem(await create(withKey), 409, FULL);
    expect(await primaryPhones()).toEqual([primary]);

    expect(await request('DELETE', `${owner}/phones/${last.id}`)).toMatchObject({ status: 204 });
    const created = await create(withKey);
    expect(created).toMatchObject({ status: 201 });
    expect(await create(withKey)).toMatchObject({ status: 201, body: created.body });
    expect(await primaryPhones()).toEqual([created.body]);
  });

  it('phones beyond the limit, from an earlier version, can be read, updated and deleted', async () => {
    await addPhones(10);
    expectProblem(await request('POST', `${owner}/phones`, { digits: '711' }), 409, FULL);
    const last = (await listPhones(owner)).at(-1);
    const path = `${owner}/phones/${last?.id}`;
    expect(await request('GET', path)).toMatchObject({ status: 200, body: last });
    expect(await request('PUT', path, { is_primary: true })).toMatchObject({ status: 200 });
    expect(await request('DELETE', path)).toMatchObject({ status: 204 });
    expect(await listPhones(owner)).toHaveLength(MAX_PHONES + 8);
  });
});

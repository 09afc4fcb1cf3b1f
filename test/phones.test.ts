// The example to copy for a new suite: it runs the same tests for the three owner types, over HTTP.
// Each test creates its own data, sends one request or a few, and checks the whole response.
import { describe, expect, it } from 'vitest';
import dataSource from '../ormconfig.js';
import { expectProblem, request } from './support/api.js';
import { createOwner, createPhone, listPhones, OWNER_CASES, type Phone } from './support/owners.js';

describe.each(OWNER_CASES)('The phones of %s', (_, type) => {
  it('are an empty list at first', async () => {
    const owner = await createOwner(type);
    expect(await request('GET', `${owner}/phones`)).toMatchObject({ status: 200, body: [] });
  });

  it('are listed by ascending ID, each with exactly four fields', async () => {
    const owner = await createOwner(type);
    const first = await createPhone(owner, { digits: '650-555-0101', phone_type: 'main' });
    const second = await createPhone(owner, { digits: '650-555-0102' });
    await request('PUT', `${owner}/phones/${first.id}`, { digits: '650-555-0103' });
    expect((await request('GET', `${owner}/phones`)).body).toEqual([
      { id: first.id, digits: '650-555-0103', phone_type: 'main', is_primary: true },
      { id: second.id, digits: '650-555-0102', phone_type: null, is_primary: false },
    ]);
    expect(second.id).toBeGreaterThan(first.id);
  });

  it('are created by POST, which returns 201 with a Location header', async () => {
    const owner = await createOwner(type);
    const created = await request<Phone>('POST', `${owner}/phones`, {
      digits: '925-308-7507 x 307',
      phone_type: 'Livermore Campus Intake',
    });
    expect(created.status).toBe(201);
    expect(created.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(created.body).toEqual({
      id: expect.any(Number) as number,
      digits: '925-308-7507 x 307',
      phone_type: 'Livermore Campus Intake',
      is_primary: true,
    });
    expect(created.headers.location).toBe(`${owner}/phones/${created.body.id}`);
    const fetched = await request('GET', String(created.headers.location));
    expect(fetched).toMatchObject({ status: 200, body: created.body });
  });

  it('have a Location without the query and trailing slash of the POST', async () => {
    const owner = await createOwner(type);
    const created = await request<Phone>('POST', `${owner}/phones/?from=form`, { digits: '211' });
    expect(created.headers.location).toBe(`${owner}/phones/${created.body.id}`);
  });

  it('are updated by PUT, which keeps the fields that are absent from the body', async () => {
    const owner = await createOwner(type);
    const phone = await createPhone(owner, { phone_type: 'fax' });
    const path = `${owner}/phones/${phone.id}`;
    const updates: [Partial<Phone>, Partial<Phone>][] = [
      [{ digits: '711' }, { digits: '711' }],
      [{ phone_type: 'main' }, { phone_type: 'main' }],
      [{ is_primary: false }, { is_primary: false }],
      [{ phone_type: null }, { phone_type: null }],
      [{}, {}],
    ];
    let expected: Phone = phone;
    for (const [body, changes] of updates) {
      expected = { ...expected, ...changes };
      expect(await request('PUT', path, body)).toMatchObject({ status: 200, body: expected });
      expect((await request('GET', path)).body).toEqual(expected);
    }
  });

  it('accept a body that GET returned, and ignore its id', async () => {
    const owner = await createOwner(type);
    const phone = await createPhone(owner, { phone_type: 'fax' });
    const path = `${owner}/phones/${phone.id}`;
    expect(await request('PUT', path, phone)).toMatchObject({ status: 200, body: phone });
    expect((await request('PUT', path, { ...phone, id: phone.id + 1000 })).body).toEqual(phone);
    expect((await request<Phone>('POST', `${owner}/phones`, { id: 1, digits: '711' })).body.id).not.toBe(1);
  });

  it('are deleted by DELETE with 204, and then return 404', async () => {
    const owner = await createOwner(type);
    const [kept, deleted] = [await createPhone(owner), await createPhone(owner)];
    const path = `${owner}/phones/${deleted.id}`;
    expect(await request('DELETE', path)).toMatchObject({ status: 204, body: '' });
    expectProblem(await request('DELETE', path), 404, 'There is no such phone.');
    expectProblem(await request('GET', path), 404, 'There is no such phone.');
    expectProblem(await request('PUT', path, { digits: '711' }), 404, 'There is no such phone.');
    expect(await listPhones(owner)).toEqual([kept]);
  });

  it('are deleted with their owner', async () => {
    const owner = await createOwner(type);
    const phone = await createPhone(owner);
    expect((await request('DELETE', owner)).status).toBe(204);
    expectProblem(await request('GET', `${owner}/phones`), 404, `There is no such ${type}.`);
    expectProblem(await request('GET', `${owner}/phones/${phone.id}`), 404, `There is no such ${type}.`);
    expectProblem(
      await request('POST', `${owner}/phones`, { digits: '711' }),
      404,
      `There is no such ${type}.`,
    );
  });

  it('are deleted with the organization of their owner', async () => {
    const owner = await createOwner(type);
    const phone = await createPhone(owner);
    const organization = owner.split('/').slice(0, 4).join('/');
    expect((await request('DELETE', organization)).status).toBe(204);
    expectProblem(await request('GET', `${owner}/phones`), 404);
    expect(await dataSource.query('SELECT FROM phones WHERE id = $1', [phone.id])).toEqual([]);
  });
});

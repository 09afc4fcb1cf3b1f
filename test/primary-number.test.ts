import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import dataSource from '../ormconfig.js';
import { request, restart } from './support/api.js';
import { SERVER } from './support/database.js';
import { createOrganization, createOwner, createPhone, listPhones, OWNER_TYPES } from './support/owners.js';

const primaries = async (owner: string) => (await listPhones(owner)).filter((phone) => phone.is_primary);

describe.each(OWNER_TYPES)('the primary number of an %s', (type) => {
  it('is its only number, unless that number says otherwise', async () => {
    const owner = await createOwner(type);
    expect(await createPhone(owner)).toMatchObject({ is_primary: true });
    const other = await createOwner(type);
    expect(await createPhone(other, { is_primary: false })).toMatchObject({ is_primary: false });
  });

  it('stays when a second number is added', async () => {
    const owner = await createOwner(type);
    const first = await createPhone(owner);
    expect(await createPhone(owner)).toMatchObject({ is_primary: false });
    expect(await primaries(owner)).toEqual([first]);
  });

  it('is not the second number when the first one declined', async () => {
    const owner = await createOwner(type);
    await createPhone(owner, { is_primary: false });
    expect(await createPhone(owner)).toMatchObject({ is_primary: false });
    expect(await primaries(owner)).toEqual([]);
  });

  it('gives way to a number that is added as primary', async () => {
    const owner = await createOwner(type);
    await createPhone(owner);
    const second = await createPhone(owner, { is_primary: true });
    expect(await primaries(owner)).toEqual([second]);
  });

  it('gives way to a number that is made primary', async () => {
    const owner = await createOwner(type);
    await createPhone(owner);
    const second = await createPhone(owner);
    const answer = await request('PUT', `${owner}/phones/${second.id}`, { is_primary: true });
    expect(answer).toMatchObject({ status: 200, body: { ...second, is_primary: true } });
    expect(await primaries(owner)).toEqual([answer.body]);
  });

  it('stays when it is made primary again', async () => {
    const owner = await createOwner(type);
    const phone = await createPhone(owner);
    expect((await request('PUT', `${owner}/phones/${phone.id}`, { is_primary: true })).body).toEqual(phone);
  });

  it('can be given up', async () => {
    const owner = await createOwner(type);
    const phone = await createPhone(owner);
    await request('PUT', `${owner}/phones/${phone.id}`, { is_primary: false });
    expect(await primaries(owner)).toEqual([]);
  });

  it('has no successor when it is deleted, but the next only number is primary again', async () => {
    const owner = await createOwner(type);
    const [primary, other] = [await createPhone(owner), await createPhone(owner)];
    await request('DELETE', `${owner}/phones/${primary.id}`);
    expect(await listPhones(owner)).toEqual([other]);
    expect(other.is_primary).toBe(false);
    await request('DELETE', `${owner}/phones/${other.id}`);
    expect(await createPhone(owner)).toMatchObject({ is_primary: true });
  });

  it('stays when a number that the owner does not have would be made primary', async () => {
    const owner = await createOwner(type);
    const phone = await createPhone(owner);
    const foreign = await createPhone(await createOwner(type));
    const answer = await request('PUT', `${owner}/phones/${foreign.id}`, { is_primary: true });
    expect(answer.status).toBe(404);
    expect(await primaries(owner)).toEqual([phone]);
  });
});

it('owners whose IDs are equal have a primary number each', async () => {
  const organization = await createOrganization();
  const owners = [`/v1/organizations/${organization.id}`];
  for (const type of ['opportunity', 'location'] as const)
    owners.push(await createOwner(type, organization.id));
  for (const owner of owners) await createPhone(owner, { is_primary: true });
  for (const owner of owners) expect(await primaries(owner)).toHaveLength(1);
});

describe('when many numbers at once want to be primary', () => {
  it.each(OWNER_TYPES)('an %s has just one in the end and no request fails', async (type) => {
    const owner = await createOwner(type);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, number) =>
        request('POST', `${owner}/phones`, { digits: `650-555-01${number}`, is_primary: true }),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(await listPhones(owner)).toHaveLength(50);
    expect(await primaries(owner)).toHaveLength(1);
  });

  it('an owner without any gets just one, if they do not say', async () => {
    const owner = await createOwner('organization');
    const phones = await Promise.all(Array.from({ length: 20 }, () => createPhone(owner)));
    expect(phones.filter(({ is_primary }) => is_primary)).toHaveLength(1);
    expect(await primaries(owner)).toHaveLength(1);
  });

  it('changes of existing numbers do not fail either', async () => {
    const owner = await createOwner('location');
    const phones = [];
    for (let count = 0; count < 20; count++) phones.push(await createPhone(owner));
    const answers = await Promise.all(
      phones.map(({ id }) => request('PUT', `${owner}/phones/${id}`, { is_primary: true })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await primaries(owner)).toHaveLength(1);
  });
});

// The embedded database runs one transaction at a time.
describe.skipIf(SERVER === undefined)('while the only number of an owner is being deleted', () => {
  it('one that is added waits for the outcome, and is primary if it is then the only one', async () => {
    const organization = await createOrganization();
    const owner = `/v1/organizations/${organization.id}`;
    const { id } = await createPhone(owner);
    const added = await dataSource.transaction(async (manager) => {
      await manager.query('SELECT FROM organizations WHERE id = $1 FOR NO KEY UPDATE', [organization.id]);
      await manager.query('DELETE FROM phones WHERE id = $1', [id]);
      const adding = createPhone(owner);
      const isWaiting =
        'SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = $1';
      while ((await dataSource.query<unknown[]>(isWaiting, ['Lock'])).length === 0);
      return { adding };
    });
    expect(await added.adding).toMatchObject({ is_primary: true });
  });
});

// The embedded database runs one transaction at a time.
describe.skipIf(SERVER === undefined)('where the database has another default isolation level', () => {
  it.each(['repeatable read', 'serializable'])('many at once do not fail: %s', async (isolation) => {
    const [{ name } = {}] = await dataSource.query<{ name: string }[]>('SELECT current_database() AS name');
    await dataSource.query(`ALTER DATABASE ${name} SET default_transaction_isolation = '${isolation}'`);
    await restart({});
    for (const type of OWNER_TYPES) {
      const owner = await createOwner(type);
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, number) =>
          request(
            'POST',
            `${owner}/phones`,
            { digits: String(number), is_primary: true },
            { 'idempotency-key': randomUUID() },
          ),
        ),
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
      expect(await primaries(owner)).toHaveLength(1);
    }
  });
});

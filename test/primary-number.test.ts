import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import dataSource from '../ormconfig.js';
import { request, restart } from './support/api.js';
import { SERVER } from './support/database.js';
import {
  createOrganization,
  createOwner,
  createPhone,
  listPhones,
  OWNER_CASES,
  OWNER_TYPES,
} from './support/owners.js';

const listPrimary = async (owner: string) => (await listPhones(owner)).filter((phone) => phone.is_primary);

describe.each(OWNER_CASES)('The primary phone of %s', (_, type) => {
  it('is the first phone unless is_primary is false', async () => {
    const owner = await createOwner(type);
    expect(await createPhone(owner)).toMatchObject({ is_primary: true });
    const other = await createOwner(type);
    expect(await createPhone(other, { is_primary: false })).toMatchObject({ is_primary: false });
  });

  it('stays the same when a second phone is created', async () => {
    const owner = await createOwner(type);
    const first = await createPhone(owner);
    expect(await createPhone(owner)).toMatchObject({ is_primary: false });
    expect(await listPrimary(owner)).toEqual([first]);
  });

  it('is not the second phone when the first was created with is_primary false', async () => {
    const owner = await createOwner(type);
    await createPhone(owner, { is_primary: false });
    expect(await createPhone(owner)).toMatchObject({ is_primary: false });
    expect(await listPrimary(owner)).toEqual([]);
  });

  it('is replaced by a phone that is created with is_primary true', async () => {
    const owner = await createOwner(type);
    await createPhone(owner);
    const second = await createPhone(owner, { is_primary: true });
    expect(await listPrimary(owner)).toEqual([second]);
  });

  it('is replaced by a phone that is updated to is_primary true', async () => {
    const owner = await createOwner(type);
    await createPhone(owner);
    const second = await createPhone(owner);
    const response = await request('PUT', `${owner}/phones/${second.id}`, { is_primary: true });
    expect(response).toMatchObject({ status: 200, body: { ...second, is_primary: true } });
    expect(await listPrimary(owner)).toEqual([response.body]);
  });

  it('stays the same when it is updated to is_primary true again', async () => {
    const owner = await createOwner(type);
    const phone = await createPhone(owner);
    expect((await request('PUT', `${owner}/phones/${phone.id}`, { is_primary: true })).body).toEqual(phone);
  });

  it('can be unset by an update to is_primary false', async () => {
    const owner = await createOwner(type);
    const phone = await createPhone(owner);
    await request('PUT', `${owner}/phones/${phone.id}`, { is_primary: false });
    expect(await listPrimary(owner)).toEqual([]);
  });

  it('is not replaced when it is deleted, but the next first phone is primary again', async () => {
    const owner = await createOwner(type);
    const [primary, other] = [await createPhone(owner), await createPhone(owner)];
    await request('DELETE', `${owner}/phones/${primary.id}`);
    expect(await listPhones(owner)).toEqual([other]);
    expect(other.is_primary).toBe(false);
    await request('DELETE', `${owner}/phones/${other.id}`);
    expect(await createPhone(owner)).toMatchObject({ is_primary: true });
  });

  it('stays the same when a PUT names a phone of another owner', async () => {
    const owner = await createOwner(type);
    const phone = await createPhone(owner);
    const otherPhone = await createPhone(await createOwner(type));
    const response = await request('PUT', `${owner}/phones/${otherPhone.id}`, { is_primary: true });
    expect(response.status).toBe(404);
    expect(await listPrimary(owner)).toEqual([phone]);
  });
});

it('an organization, an opportunity and a location each have a primary phone of their own', async () => {
  const organization = await createOrganization();
  const owners = [`/v1/organizations/${organization.id}`];
  for (const type of ['opportunity', 'location'] as const)
    owners.push(await createOwner(type, organization.id));
  for (const owner of owners) await createPhone(owner, { is_primary: true });
  for (const owner of owners) expect(await listPrimary(owner)).toHaveLength(1);
});

describe('Concurrent requests', () => {
  it.each(OWNER_CASES)(
    'that create primary phones of %s succeed and leave one primary phone',
    async (_, type) => {
      const owner = await createOwner(type);
      const responses = await Promise.all(
        Array.from({ length: 50 }, (_, number) =>
          request('POST', `${owner}/phones`, { digits: `650-555-01${number}`, is_primary: true }),
        ),
      );
      expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([201]));
      expect(await listPhones(owner)).toHaveLength(50);
      expect(await listPrimary(owner)).toHaveLength(1);
    },
  );

  it('that create the first phones of an owner without is_primary leave one primary phone', async () => {
    const owner = await createOwner('organization');
    const phones = await Promise.all(Array.from({ length: 20 }, () => createPhone(owner)));
    expect(phones.filter(({ is_primary }) => is_primary)).toHaveLength(1);
    expect(await listPrimary(owner)).toHaveLength(1);
  });

  it('that make existing phones primary succeed and leave one primary phone', async () => {
    const owner = await createOwner('location');
    const phones = [];
    for (let count = 0; count < 20; count++) phones.push(await createPhone(owner));
    const responses = await Promise.all(
      phones.map(({ id }) => request('PUT', `${owner}/phones/${id}`, { is_primary: true })),
    );
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await listPrimary(owner)).toHaveLength(1);
  });
});

// The embedded database runs one transaction at a time.
describe.skipIf(SERVER === undefined)('While the only phone of an owner is being deleted', () => {
  it('a POST waits, and creates a primary phone once the other is deleted', async () => {
    const organization = await createOrganization();
    const owner = `/v1/organizations/${organization.id}`;
    const { id } = await createPhone(owner);
    const { creation } = await dataSource.transaction(async (manager) => {
      await manager.query('SELECT FROM organizations WHERE id = $1 FOR NO KEY UPDATE', [organization.id]);
      await manager.query('DELETE FROM phones WHERE id = $1', [id]);
      const creation = createPhone(owner);
      const isWaiting =
        'SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = $1';
      while ((await dataSource.query<unknown[]>(isWaiting, ['Lock'])).length === 0);
      return { creation };
    });
    expect(await creation).toMatchObject({ is_primary: true });
  });
});

// The embedded database runs one transaction at a time.
describe.skipIf(SERVER === undefined)('In a database with the default isolation level', () => {
  it.each(['repeatable read', 'serializable'])('%s, concurrent requests succeed', async (isolation) => {
    const [{ name } = {}] = await dataSource.query<{ name: string }[]>('SELECT current_database() AS name');
    await dataSource.query(`ALTER DATABASE ${name} SET default_transaction_isolation = '${isolation}'`);
    await restart({});
    for (const type of OWNER_TYPES) {
      const owner = await createOwner(type);
      const responses = await Promise.all(
        Array.from({ length: 40 }, (_, number) =>
          request(
            'POST',
            `${owner}/phones`,
            { digits: String(number), is_primary: true },
            { 'idempotency-key': randomUUID() },
          ),
        ),
      );
      expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([201]));
      expect(await listPrimary(owner)).toHaveLength(1);
    }
  });
});

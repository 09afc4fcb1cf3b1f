import { beforeAll, describe, expect, it } from 'vitest';
import { expectProblem, request } from './support/api.js';
import {
  createOrganization,
  createOwner,
  createPhone,
  listPhones,
  OWNER_TYPES,
  type Phone,
} from './support/owners.js';

describe('a phone is found only under its own owner', () => {
  const crossings = OWNER_TYPES.flatMap((owner) => OWNER_TYPES.map((other) => [owner, other] as const));

  it.each(crossings)('not that of an %s under another %s', async (type, otherType) => {
    const { id: organizationId } = await createOrganization();
    const owner = await createOwner(type, organizationId);
    const other =
      type === otherType ? await createOwner(otherType) : await createOwner(otherType, organizationId);
    const phone = await createPhone(owner);
    const path = `${other}/phones/${phone.id}`;
    expectProblem(await request('GET', path), 404, 'There is no such phone.');
    expectProblem(await request('PUT', path, { digits: '711' }), 404, 'There is no such phone.');
    expectProblem(await request('DELETE', path), 404, 'There is no such phone.');
    expect(await listPhones(owner)).toEqual([phone]);
    expect(await listPhones(other)).toEqual([]);
  });
});

describe.each(['opportunity', 'location'] as const)(
  'an %s is found only under its own organization',
  (type) => {
    it('not under another one', async () => {
      const owner = await createOwner(type);
      const phone = await createPhone(owner);
      const stranger = await createOrganization();
      const path = owner.replace(/organizations\/\d+/, `organizations/${stranger.id}`);
      const gone = `There is no such ${type}.`;
      expectProblem(await request('GET', path), 404, gone);
      expectProblem(await request('PUT', path, {}), 404, gone);
      expectProblem(await request('DELETE', path), 404, gone);
      expectProblem(await request('GET', `${path}/phones`), 404, gone);
      expectProblem(await request('POST', `${path}/phones`, { digits: '711' }), 404, gone);
      expectProblem(await request('GET', `${path}/phones/${phone.id}`), 404, gone);
      expectProblem(await request('PUT', `${path}/phones/${phone.id}`, { digits: '711' }), 404);
      expectProblem(await request('DELETE', `${path}/phones/${phone.id}`), 404);
      expect(await listPhones(owner)).toEqual([phone]);
    });
  },
);

describe('an owner is named by its ID or by its slug', () => {
  let paths: string[];
  let phone: Phone;

  beforeAll(async () => {
    const organization = await createOrganization('Compass Family Services');
    const { body: opportunity } = await request<{ id: number; slug: string }>(
      'POST',
      `/v1/organizations/${organization.id}/opportunities`,
      { title: 'Rental Assistance' },
    );
    paths = [organization.id, organization.slug].flatMap((organizationKey) =>
      [opportunity.id, opportunity.slug].map(
        (opportunityKey) => `/v1/organizations/${organizationKey}/opportunities/${opportunityKey}/phones`,
      ),
    );
    phone = (await request<Phone>('POST', paths[0] ?? '', { digits: '415-555-0110' })).body;
  });

  it('with the same phones under each path', async () => {
    for (const path of paths) {
      expect(await request('GET', path)).toMatchObject({ status: 200, body: [phone] });
      expect(await request('GET', `${path}/${phone.id}`)).toMatchObject({ status: 200, body: phone });
    }
  });

  it('for writes as for reads', async () => {
    for (const path of paths) {
      const { status, headers } = await request('POST', path, { digits: '415-555-0111' });
      expect(status).toBe(201);
      const location = String(headers.location);
      expect(location.startsWith(`${path}/`)).toBe(true);
      expect(await request('PUT', location, { is_primary: true })).toMatchObject({ status: 200 });
      expect(await request('DELETE', location)).toMatchObject({ status: 204 });
    }
  });

  it('and a location by its ID under the slug of its organization', async () => {
    const organization = await createOrganization('Willow Free Clinic');
    const location = (await createOwner('location', organization.id)).replace(
      `/${organization.id}/`,
      `/${organization.slug}/`,
    );
    const added = await createPhone(location);
    expect(await listPhones(location)).toEqual([added]);
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import { expectProblem, type Method, request } from './support/api.js';
import {
  createOrganization,
  createOwner,
  createPhone,
  listPhones,
  OWNER_CASES,
  type Phone,
} from './support/owners.js';

describe('A phone', () => {
  const pairs = OWNER_CASES.flatMap(([owner, type]) =>
    OWNER_CASES.map(([other, otherType]) => {
      return [owner, type === otherType ? `another ${otherType}` : other, type, otherType] as const;
    }),
  );

  it.each(pairs)('of %s returns 404 under %s', async (_owner, _other, type, otherType) => {
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

describe.each([['An opportunity', 'opportunity'] as const, ['A location', 'location'] as const])(
  '%s',
  (_, type) => {
    it('returns 404 under another organization', async () => {
      const owner = await createOwner(type);
      const phone = await createPhone(owner);
      const otherOrganization = await createOrganization();
      const path = owner.replace(/organizations\/\d+/, `organizations/${otherOrganization.id}`);
      const detail = `There is no such ${type}.`;
      expectProblem(await request('GET', path), 404, detail);
      expectProblem(await request('PUT', path, {}), 404, detail);
      expectProblem(await request('DELETE', path), 404, detail);
      expectProblem(await request('GET', `${path}/phones`), 404, detail);
      expectProblem(await request('POST', `${path}/phones`, { digits: '711' }), 404, detail);
      expectProblem(await request('GET', `${path}/phones/${phone.id}`), 404, detail);
      expectProblem(await request('PUT', `${path}/phones/${phone.id}`, { digits: '711' }), 404, detail);
      expectProblem(await request('DELETE', `${path}/phones/${phone.id}`), 404, detail);
      expect(await listPhones(owner)).toEqual([phone]);
    });
  },
);

describe('A 404 for a path to phones', () => {
  const PHONE_REQUESTS: [Method, string, object?, Record<string, string>?][] = [
    ['GET', '/phones'],
    ['POST', '/phones', { digits: '711' }],
    ['POST', '/phones', { digits: '711' }, { 'idempotency-key': 'missing-owner' }],
    ['GET', '/phones/1'],
    ['PUT', '/phones/1', { digits: '711' }],
    ['PUT', '/phones/1', { digits: '711' }, { 'if-match': '"1.1"' }],
    ['DELETE', '/phones/1'],
  ];

  it.each(PHONE_REQUESTS)('names the first part that is missing: %s %s %j', async (method, ...rest) => {
    const [suffix, body, headers] = rest;
    const { id, slug } = await createOrganization();
    const expectMissing = async (path: string, resource: string) => {
      const response = await request(method, `/v1/organizations/${path}${suffix}`, body, headers);
      expectProblem(response, 404, `There is no such ${resource}.`);
    };
    for (const unknown of ['2147483647', 'no-such-slug']) {
      await expectMissing(unknown, 'organization');
      await expectMissing(`${unknown}/locations/1`, 'organization');
      for (const opportunity of ['1', 'no-such-slug']) {
        await expectMissing(`${unknown}/opportunities/${opportunity}`, 'organization');
      }
      for (const organization of [id, slug]) {
        await expectMissing(`${organization}/opportunities/${unknown}`, 'opportunity');
        await expectMissing(`${organization}/locations/2147483647`, 'location');
      }
    }
  });
});

describe('The path of an owner', () => {
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

  it('takes IDs or slugs, and returns the same phones for both', async () => {
    for (const path of paths) {
      expect(await request('GET', path)).toMatchObject({ status: 200, body: [phone] });
      expect(await request('GET', `${path}/${phone.id}`)).toMatchObject({ status: 200, body: phone });
    }
  });

  it('takes IDs or slugs for writes, too', async () => {
    for (const path of paths) {
      const { status, headers } = await request('POST', path, { digits: '415-555-0111' });
      expect(status).toBe(201);
      const location = String(headers.location);
      expect(location.startsWith(`${path}/`)).toBe(true);
      expect(await request('PUT', location, { is_primary: true })).toMatchObject({ status: 200 });
      expect(await request('DELETE', location)).toMatchObject({ status: 204 });
    }
  });

  it('takes the ID of a location under the slug of its organization', async () => {
    const organization = await createOrganization('Willow Free Clinic');
    const location = (await createOwner('location', organization.id)).replace(
      `/${organization.id}/`,
      `/${organization.slug}/`,
    );
    const created = await createPhone(location);
    expect(await listPhones(location)).toEqual([created]);
  });
});

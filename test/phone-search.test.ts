import { beforeAll, describe, expect, it } from 'vitest';
import { expectFieldErrors, request, restart } from './support/api.js';
import { createOrganization, createOwner, createPhone, OWNER_TYPES, type Phone } from './support/owners.js';

interface FoundPhone extends Phone {
  dialing: { uri: string };
  owner: { type: string; id: number; name: string; path: string };
}

function search(number: string, query = '') {
  return request<FoundPhone[]>('GET', `/v1/phones?number=${encodeURIComponent(number)}${query}`);
}

async function searchIds(number: string): Promise<number[]> {
  const { status, body } = await search(number);
  expect(status).toBe(200);
  return body.map(({ id }) => id);
}

describe('GET /v1/phones?number=', () => {
  it('finds the phones of all three types of owner, with what they dial and whose they are', async () => {
    const organization = await createOrganization('Harbor Food Bank');
    const expected: unknown[] = [];
    for (const type of OWNER_TYPES) {
      const path = await createOwner(type, organization.id);
      const phone = await createPhone(path, { digits: '(212) 555-0101 ext. 12', phone_type: type });
      const name = type === 'organization' ? 'Harbor Food Bank' : 'Senior Lunch';
      expected.push({
        ...phone,
        dialing: {
          uri: 'tel:+12125550101;ext=12',
          e164: '+12125550101',
          extension: '12',
          international: '+1 212 555 0101',
          country: 'US',
          valid: true,
        },
        owner: { type, id: Number(path.split('/').at(-1)), name, path },
      });
    }
    const found = await search('+1 212 555 0101');
    expect(found).toMatchObject({ status: 200, headers: { etag: expect.any(String) as string } });
    expect(found.body).toEqual(expected);
    for (const { owner } of found.body) expect((await request('GET', owner.path)).status).toBe(200);
  });

  it('finds a number however it is written on either side', async () => {
    const owner = await createOwner('organization');
    const spellings = [
      '212-555-0102',
      '(212) 5550102',
      '+1 212 555 0102',
      '1.212.555.0102',
      'tel: 212 555 0102',
    ];
    const ids: number[] = [];
    for (const digits of spellings) ids.push((await createPhone(owner, { digits })).id);
    for (const number of spellings) expect(await searchIds(number)).toEqual(ids);
    // A plus sign that is not encoded is a space.
    expect((await request<Phone[]>('GET', '/v1/phones?number=+12125550102')).body).toHaveLength(ids.length);
  });

  it('finds short codes, vanity numbers and numbers of other countries', async () => {
    const owner = await createOwner('organization');
    for (const [digits, number] of [
      ['741741', '741-741'],
      ['1-888-GO-HARBR', '888 464 2727'],
      ['+44 20 7946 0958', '011 44 20 7946 0958'],
    ] as const) {
      const { id } = await createPhone(owner, { digits });
      expect(await searchIds(number)).toEqual([id]);
    }
  });

  it('finds only phones with the extension if the number has one', async () => {
    const owner = await createOwner('organization');
    const ids: number[] = [];
    for (const digits of ['212-555-0103', '212-555-0103 x 12', '212-555-0103 #13'])
      ids.push((await createPhone(owner, { digits })).id);
    expect(await searchIds('2125550103')).toEqual(ids);
    expect(await searchIds('2125550103;ext=12')).toEqual([ids[1]]);
    expect(await searchIds('(212) 555-0103, ext 13')).toEqual([ids[2]]);
    expect(await searchIds('212-555-0103 x 14')).toEqual([]);
  });

  it('follows every change of a phone, and does not find a deleted one', async () => {
    const owner = await createOwner('location');
    const { id } = await createPhone(owner, { digits: '212-555-0104' });
    const path = `${owner}/phones/${id}`;
    await request('PUT', path, { digits: '(212) 555-0104' });
    expect(await searchIds('212-555-0104')).toEqual([id]);
    await request('PUT', path, { phone_type: 'fax' });
    expect(await searchIds('212-555-0104')).toEqual([id]);
    await request('PUT', path, { digits: '212-555-0105' });
    expect(await searchIds('212-555-0104')).toEqual([]);
    expect(await searchIds('212-555-0105')).toEqual([id]);
    await request('DELETE', path);
    expect(await searchIds('212-555-0105')).toEqual([]);
    const other = await createPhone(owner, { digits: '212-555-0105' });
    expect(await searchIds('212-555-0105')).toEqual([other.id]);
    await request('DELETE', owner);
    expect(await searchIds('212-555-0105')).toEqual([]);
  });

  it('finds a phone that was created with an Idempotency-Key', async () => {
    const owner = await createOwner('organization');
    const headers = { 'idempotency-key': 'search' };
    const { body } = await request<Phone>('POST', `${owner}/phones`, { digits: '212-555-0106' }, headers);
    expect(await searchIds('212-555-0106')).toEqual([body.id]);
  });

  it('returns 400 for a number that is missing or cannot be dialed, and for invalid parameters', async () => {
    const detail = expect.stringContaining('must be one number that can be dialed') as string;
    for (const query of ['', '?number=', '?number=call+us', '?number=5550103', '?number=211&number=311']) {
      expectFieldErrors(await request('GET', `/v1/phones${query}`), { parameter: 'number', detail });
    }
    expectFieldErrors(await search('212-555-0103 or 212-555-0104'), { parameter: 'number', detail });
    expectFieldErrors(await search('1'.repeat(4000)), { parameter: 'number', detail });
    expectFieldErrors(await search('211', '&per_page=101'), { parameter: 'per_page' });
    expectFieldErrors(await search('211', '&include=dialing'), { parameter: 'include' });
  });

  describe('with many results', () => {
    const ids: number[] = [];

    beforeAll(async () => {
      const owner = await createOwner('organization');
      for (let count = 0; count < 5; count++)
        ids.push((await createPhone(owner, { digits: '+1 212 555 0107' })).id);
    });

    it('returns one page at a time, with links that keep the number', async () => {
      const link = (page: number, rel: string) =>
        `</v1/phones?number=%2B1+212+555+0107&page=${page}&per_page=2>; rel="${rel}"`;
      const second = await search('+1 212 555 0107', '&page=2&per_page=2');
      expect(second.body.map(({ id }) => id)).toEqual(ids.slice(2, 4));
      expect(second.headers.link).toBe(
        [link(1, 'first'), link(1, 'prev'), link(3, 'next'), link(3, 'last')].join(', '),
      );
      const [, next = ''] = /<([^>]+)>; rel="next"/.exec(String(second.headers.link)) ?? [];
      expect((await request<Phone[]>('GET', next)).body.map(({ id }) => id)).toEqual(ids.slice(4));
    });

    it('returns an empty page after the last one', async () => {
      const after = await search('+1 212 555 0107', '&page=9&per_page=2');
      expect(after).toMatchObject({ status: 200, body: [] });
      expect(after.headers.link).toContain('page=3&per_page=2>; rel="last"');
    });

    it('returns the paths under which the client reaches the service', async () => {
      await restart({ TRUST_PROXY: 'loopback' });
      const headers = { 'x-forwarded-prefix': '/directory' };
      const found = await request<FoundPhone[]>('GET', '/v1/phones?number=2125550107', undefined, headers);
      expect(found.body[0]?.owner.path).toMatch(/^\/directory\/v1\/organizations\/\d+$/);
      expect(found.headers.link).toContain('</directory/v1/phones?number=2125550107&page=1');
    });
  });
});

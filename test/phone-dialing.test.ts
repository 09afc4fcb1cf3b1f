import { describe, expect, it } from 'vitest';
import { expectFieldErrors, request, restart } from './support/api.js';
import { createOwner, createPhone, OWNER_CASES, type Phone } from './support/owners.js';

interface PhoneWithDialing extends Phone {
  dialing?: { uri: string; country: string } | null;
}

async function getEntityTag(url: string): Promise<string> {
  return String((await request('GET', url)).headers.etag);
}

describe.each(OWNER_CASES)('The phones of %s', (_, type) => {
  it('say what they dial with include=dialing, in a list and alone', async () => {
    const owner = await createOwner(type);
    const phones = [
      await createPhone(owner, { digits: '650-555-0103 x 12', phone_type: 'main' }),
      await createPhone(owner, { digits: '711' }),
      await createPhone(owner, { digits: '650-555-0103 or 650-555-0104' }),
    ];
    const expected = [
      {
        ...phones[0],
        dialing: {
          uri: 'tel:+16505550103;ext=12',
          e164: '+16505550103',
          extension: '12',
          international: '+1 650 555 0103',
          country: 'US',
          valid: true,
        },
      },
      {
        ...phones[1],
        dialing: {
          uri: 'tel:711',
          e164: null,
          extension: null,
          international: null,
          country: 'US',
          valid: true,
        },
      },
      { ...phones[2], dialing: null },
    ];
    const list = await request('GET', `${owner}/phones?include=dialing`);
    expect(list).toMatchObject({
      status: 200,
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: expected,
    });
    expect((await request('GET', `${owner}/phones`)).body).toEqual(phones);
    for (const phone of expected) {
      const path = `${owner}/phones/${phone.id}`;
      expect(await request('GET', `${path}?include=dialing`)).toMatchObject({ status: 200, body: phone });
      expect(Object.keys((await request<Phone>('GET', path)).body)).not.toContain('dialing');
    }
  });

  it('say what their new digits dial after a PUT', async () => {
    const owner = await createOwner(type);
    const { id } = await createPhone(owner, { digits: '650-555-0103 x 12' });
    const path = `${owner}/phones/${id}`;
    for (const [changes, uri] of [
      [{ phone_type: 'fax' }, 'tel:+16505550103;ext=12'],
      [{ digits: '(650) 555-0103' }, 'tel:+16505550103'],
      [{ digits: '211' }, 'tel:211'],
      [{ digits: 'floor 3' }, undefined],
    ] as const) {
      expect((await request('PUT', path, changes)).status).toBe(200);
      const { body } = await request<PhoneWithDialing>('GET', `${path}?include=dialing`);
      expect(body.dialing?.uri).toBe(uri);
    }
  });
});

describe('The entity tag of a phone with include=dialing', () => {
  it('differs from that of the phone alone, and changes with the phone and with what it dials', async () => {
    const owner = await createOwner('location');
    const { id } = await createPhone(owner, { digits: '020 7946 0018' });
    const path = `${owner}/phones/${id}`;
    const [alone, withDialing] = [await getEntityTag(path), await getEntityTag(`${path}?include=dialing`)];
    expect(withDialing).not.toBe(alone);
    for (const method of ['GET', 'HEAD'] as const) {
      const headers = { 'if-none-match': withDialing };
      expect((await request(method, `${path}?include=dialing`, undefined, headers)).status).toBe(304);
      expect((await request(method, path, undefined, headers)).status).toBe(200);
    }

    await restart({ DEFAULT_COUNTRY: 'GB' });
    const inBritain = await request<PhoneWithDialing>('GET', `${path}?include=dialing`);
    expect(inBritain.body.dialing).toMatchObject({ uri: 'tel:+442079460018', country: 'GB' });
    expect(inBritain.headers.etag).not.toBe(withDialing);
    expect(await getEntityTag(path)).toBe(alone);
    await restart({});

    await request('PUT', path, { phone_type: 'fax' });
    expect(await getEntityTag(`${path}?include=dialing`)).not.toBe(withDialing);
  });

  it('can be used in If-Match to change or delete the phone that was read', async () => {
    const owner = await createOwner('organization');
    const { id } = await createPhone(owner);
    const path = `${owner}/phones/${id}`;
    const headers = { 'if-match': await getEntityTag(`${path}?include=dialing`) };
    expect((await request('PUT', path, { digits: '311' }, headers)).status).toBe(200);
    expect((await request('PUT', path, { digits: '411' }, headers)).status).toBe(412);
    headers['if-match'] = await getEntityTag(`${path}?include=dialing`);
    expect((await request('DELETE', path, undefined, headers)).status).toBe(204);
  });

  it('of a list differs from that of the list alone', async () => {
    const owner = await createOwner('opportunity');
    await createPhone(owner);
    const tags = [
      await getEntityTag(`${owner}/phones`),
      await getEntityTag(`${owner}/phones?include=dialing`),
    ];
    expect(new Set(tags).size).toBe(2);
  });
});

describe('The query of a read of phones', () => {
  it.each(['include=', 'include=owner', 'include=Dialing', 'include=dialing&include=dialing'])(
    'returns 400 for %s',
    async (query) => {
      const owner = await createOwner('organization');
      const { id } = await createPhone(owner);
      for (const path of [`${owner}/phones`, `${owner}/phones/${id}`]) {
        const error = { parameter: 'include', detail: 'must be dialing' };
        expectFieldErrors(await request('GET', `${path}?${query}`), error);
      }
    },
  );

  it('returns 400 for unknown parameters, but may contain api_key or be empty', async () => {
    const owner = await createOwner('organization');
    const error = { parameter: 'expand', detail: 'is not a known parameter' };
    expectFieldErrors(await request('GET', `${owner}/phones?expand=1&include=dialing`), error);
    for (const query of ['?', '?api_key=x', '?api_key=x&include=dialing']) {
      expect((await request('GET', `${owner}/phones${query}`)).status).toBe(200);
    }
  });

  it('is validated after the path', async () => {
    expect((await request('GET', '/v1/organizations/2000000000/phones?include=dialing')).status).toBe(404);
  });
});

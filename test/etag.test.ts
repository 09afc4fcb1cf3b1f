import { describe, expect, it } from 'vitest';
import { AS_ADMIN, expectProblem, type Method, request } from './support/api.js';
import { createOwner, createPhone, listPhones, OWNER_TYPES, type Phone } from './support/owners.js';

const STRONG_TAG = /^"[\x21\x23-\x7e]+"$/;

async function getEntityTag(path: string): Promise<string> {
  const { headers } = await request('GET', path);
  return headers.etag ?? '';
}

async function createOwnerWithPhone(): Promise<{ owner: string; path: string; phone: Phone }> {
  const owner = await createOwner('location');
  const phone = await createPhone(owner);
  return { owner, path: `${owner}/phones/${phone.id}`, phone };
}

describe.each(OWNER_TYPES)('The entity tag of a phone with owner type %s', (type) => {
  it('is strong, and the same in every response that returns the phone', async () => {
    const owner = await createOwner(type);
    const created = await request<Phone>('POST', `${owner}/phones`, { digits: '211' });
    const path = `${owner}/phones/${created.body.id}`;
    const tag = await getEntityTag(path);
    expect(tag).toMatch(STRONG_TAG);
    expect(created.headers.etag).toBe(tag);
    expect((await request('HEAD', path)).headers.etag).toBe(tag);
    expect((await request('PUT', path, {})).headers.etag).toBe(tag);
  });

  it('changes when the phone changes, and not when the same values are written again', async () => {
    const owner = await createOwner(type);
    const { id } = await createPhone(owner);
    const path = `${owner}/phones/${id}`;
    const tags = [await getEntityTag(path)];
    for (const change of [
      { digits: '311' },
      { phone_type: 'fax' },
      { is_primary: false },
      { phone_type: null },
    ]) {
      const { headers } = await request('PUT', path, change);
      tags.push(String(headers.etag));
      expect(await getEntityTag(path)).toBe(tags.at(-1));
      await request('PUT', path, change);
      expect(await getEntityTag(path)).toBe(tags.at(-1));
    }
    expect(new Set(tags).size).toBe(5);
  });

  it('changes when another phone becomes the primary one', async () => {
    const owner = await createOwner(type);
    const { id } = await createPhone(owner);
    const before = await getEntityTag(`${owner}/phones/${id}`);
    await createPhone(owner, { is_primary: true });
    expect(await getEntityTag(`${owner}/phones/${id}`)).not.toBe(before);
  });

  it('matches in the first write with If-Match, and later writes return 412', async () => {
    const owner = await createOwner(type);
    const { id } = await createPhone(owner);
    const path = `${owner}/phones/${id}`;
    const tag = await getEntityTag(path);
    const changed = await request('PUT', path, { digits: '311' }, { 'if-match': tag });
    expect(changed).toMatchObject({ status: 200, body: { digits: '311' } });
    for (const method of ['PUT', 'DELETE'] as const) {
      const late = await request(method, path, { digits: '411' }, { 'if-match': tag });
      expectProblem(late, 412, expect.stringContaining('changed since'));
    }
    expect(await listPhones(owner)).toMatchObject([{ digits: '311' }]);
    const deleted = await request('DELETE', path, undefined, { 'if-match': String(changed.headers.etag) });
    expect(deleted.status).toBe(204);
    expect(await listPhones(owner)).toEqual([]);
  });

  it('does not match another phone', async () => {
    const owner = await createOwner(type);
    const [one, other] = [await createPhone(owner), await createPhone(owner)];
    const headers = { 'if-match': await getEntityTag(`${owner}/phones/${one.id}`) };
    expectProblem(await request('DELETE', `${owner}/phones/${other.id}`, undefined, headers), 412);
    expect(await listPhones(owner)).toHaveLength(2);
  });

  it('that does not match leaves the primary phone unchanged', async () => {
    const owner = await createOwner(type);
    const [first, second] = [await createPhone(owner), await createPhone(owner)];
    const headers = { 'if-match': '"another"' };
    expectProblem(await request('PUT', `${owner}/phones/${second.id}`, { is_primary: true }, headers), 412);
    expect(await listPhones(owner)).toEqual([first, second]);
  });
});

describe('If-Match', () => {
  it.each([
    ['*', () => '*'],
    ['a list with the entity tag', (tag: string) => `"a", ${tag} ,W/"b"`],
    ['a list with empty elements', (tag: string) => `,"a",, ${tag},`],
  ])('can be %s', async (_, header) => {
    const { path } = await createOwnerWithPhone();
    const headers = { 'if-match': header(await getEntityTag(path)) };
    expect((await request('PUT', path, { digits: '311' }, headers)).status).toBe(200);
  });

  it('does not match a weak entity tag', async () => {
    const { path } = await createOwnerWithPhone();
    const headers = { 'if-match': `W/${await getEntityTag(path)}` };
    expectProblem(await request('PUT', path, { digits: '311' }, headers), 412);
  });

  it.each(['1.1', '"a" "b', 'W/', '', '"*'])('returns 400 when it is %j', async (header) => {
    const { path } = await createOwnerWithPhone();
    const response = await request('DELETE', path, undefined, { 'if-match': header });
    expectProblem(response, 400, expect.stringContaining('If-Match must be'));
    expect((await request('GET', path)).status).toBe(200);
  });

  it('returns 404 when the phone does not exist', async () => {
    const { owner } = await createOwnerWithPhone();
    for (const header of ['*', '"1.1"']) {
      expectProblem(await request('PUT', `${owner}/phones/2000000000`, {}, { 'if-match': header }), 404);
    }
  });

  it('applies to reads too', async () => {
    const { owner, path } = await createOwnerWithPhone();
    for (const url of [path, `${owner}/phones`]) {
      expect((await request('GET', url, undefined, { 'if-match': await getEntityTag(url) })).status).toBe(
        200,
      );
      expectProblem(await request('GET', url, undefined, { 'if-match': '"another"' }), 412);
    }
  });

  it('lets only one of several concurrent changes succeed, and the others return 412', async () => {
    const { path } = await createOwnerWithPhone();
    const headers = { 'if-match': await getEntityTag(path) };
    const responses = await Promise.all(
      Array.from({ length: 20 }, (_, number) =>
        request('PUT', path, { digits: `650-555-01${number}` }, headers),
      ),
    );
    expect(responses.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(19).fill(412)]);
    const [winner] = responses.filter(({ status }) => status === 200);
    expect((await request('GET', path)).body).toEqual(winner?.body);
  });
});

describe('A write that does not support preconditions', () => {
  it.each<[Method, string, string, object?]>([
    ['POST', '/phones', 'if-match', { digits: '211' }],
    ['POST', '/phones', 'if-none-match', { digits: '211' }],
    ['PUT', '', 'if-match', { name: 'Another' }],
    ['DELETE', '', 'if-match'],
    ['PUT', '/phones/ID', 'if-none-match', { digits: '211' }],
  ])('returns 412 for %s {organization}%s with %s', async (method, path, header, body) => {
    const owner = await createOwner('organization');
    const phone = await createPhone(owner);
    const { body: organization } = await request('GET', owner);
    const url = owner + path.replace('ID', String(phone.id));
    const response = await request(method, url, body, { ...AS_ADMIN, [header]: '*' });
    expectProblem(response, 412, expect.stringMatching(/^If-(None-)?Match is /));
    expect(await listPhones(owner)).toEqual([phone]);
    expect((await request('GET', owner)).body).toEqual(organization);
  });
});

describe('The entity tag of a list', () => {
  it('is strong and changes whenever the content of the list changes', async () => {
    const owner = await createOwner('opportunity');
    const url = `${owner}/phones`;
    const tags = [await getEntityTag(url)];
    const { id } = await createPhone(owner);
    tags.push(await getEntityTag(url));
    await request('PUT', `${url}/${id}`, { digits: '311' });
    tags.push(await getEntityTag(url));
    expect(new Set(tags).size).toBe(3);
    for (const tag of tags) expect(tag).toMatch(STRONG_TAG);
    expect(await getEntityTag(url)).toBe(tags[2]);
    await request('DELETE', `${url}/${id}`);
    expect(await getEntityTag(url)).toBe(tags[0]);
  });

  it('is also sent with lists of organizations and locations', async () => {
    for (const path of ['/v1/organizations', `${await createOwner('organization')}/locations`]) {
      expect(await getEntityTag(path)).toMatch(STRONG_TAG);
    }
  });
});

describe('If-None-Match', () => {
  it('returns 304 without a body while the resource is unchanged', async () => {
    const { owner, path } = await createOwnerWithPhone();
    for (const url of [path, `${owner}/phones`, '/v1/organizations']) {
      const tag = await getEntityTag(url);
      for (const header of [tag, `W/${tag}`, `"a", ${tag}`, '*']) {
        for (const method of ['GET', 'HEAD'] as const) {
          const response = await request(method, url, undefined, { 'if-none-match': header });
          expect(response).toMatchObject({ status: 304, body: '', headers: { etag: tag } });
          expect(response.headers).toMatchObject({ 'cache-control': 'no-cache' });
        }
      }
    }
  });

  it('returns 200 after a change', async () => {
    const { owner, path } = await createOwnerWithPhone();
    const [one, list] = [await getEntityTag(path), await getEntityTag(`${owner}/phones`)];
    await request('PUT', path, { digits: '311' });
    expect((await request('GET', path, undefined, { 'if-none-match': one })).status).toBe(200);
    expect((await request('GET', `${owner}/phones`, undefined, { 'if-none-match': list })).status).toBe(200);
  });

  it('returns 404 when the resource does not exist', async () => {
    expectProblem(
      await request('GET', '/v1/organizations/nobody/phones', undefined, { 'if-none-match': '*' }),
      404,
    );
  });
});

import { describe, expect, it } from 'vitest';
import { AS_ADMIN, expectProblem, type Method, request } from './support/api.js';
import { createOwner, createPhone, listPhones, OWNER_TYPES, type Phone } from './support/owners.js';

const STRONG = /^"[\x21\x23-\x7e]+"$/;

async function tagOf(path: string): Promise<string> {
  const { headers } = await request('GET', path);
  return headers.etag ?? '';
}

async function phoneOfNewOwner(): Promise<{ owner: string; path: string; phone: Phone }> {
  const owner = await createOwner('location');
  const phone = await createPhone(owner);
  return { owner, path: `${owner}/phones/${phone.id}`, phone };
}

describe.each(OWNER_TYPES)('the ETag of a phone of an %s', (type) => {
  it('is strong, and the same in every answer with the phone', async () => {
    const owner = await createOwner(type);
    const created = await request<Phone>('POST', `${owner}/phones`, { digits: '211' });
    const path = `${owner}/phones/${created.body.id}`;
    const tag = await tagOf(path);
    expect(tag).toMatch(STRONG);
    expect(created.headers.etag).toBe(tag);
    expect((await request('HEAD', path)).headers.etag).toBe(tag);
    expect((await request('PUT', path, {})).headers.etag).toBe(tag);
  });

  it('is another one after each change, and after none that leaves all as it was', async () => {
    const owner = await createOwner(type);
    const { id } = await createPhone(owner);
    const path = `${owner}/phones/${id}`;
    const tags = [await tagOf(path)];
    for (const change of [
      { digits: '311' },
      { phone_type: 'fax' },
      { is_primary: false },
      { phone_type: null },
    ]) {
      const { headers } = await request('PUT', path, change);
      tags.push(String(headers.etag));
      expect(await tagOf(path)).toBe(tags.at(-1));
      await request('PUT', path, change);
      expect(await tagOf(path)).toBe(tags.at(-1));
    }
    expect(new Set(tags).size).toBe(5);
  });

  it('is another one when the phone gave way as the primary number', async () => {
    const owner = await createOwner(type);
    const { id } = await createPhone(owner);
    const before = await tagOf(`${owner}/phones/${id}`);
    await createPhone(owner, { is_primary: true });
    expect(await tagOf(`${owner}/phones/${id}`)).not.toBe(before);
  });

  it('holds for the write that names it, and for no later one', async () => {
    const owner = await createOwner(type);
    const { id } = await createPhone(owner);
    const path = `${owner}/phones/${id}`;
    const tag = await tagOf(path);
    const changed = await request('PUT', path, { digits: '311' }, { 'if-match': tag });
    expect(changed).toMatchObject({ status: 200, body: { digits: '311' } });
    for (const method of ['PUT', 'DELETE'] as const) {
      const late = await request(method, path, { digits: '411' }, { 'if-match': tag });
      expectProblem(late, 412, expect.stringContaining('changed since'));
    }
    expect(await listPhones(owner)).toMatchObject([{ digits: '311' }]);
    const gone = await request('DELETE', path, undefined, { 'if-match': String(changed.headers.etag) });
    expect(gone.status).toBe(204);
    expect(await listPhones(owner)).toEqual([]);
  });

  it('of another phone is of no use', async () => {
    const owner = await createOwner(type);
    const [one, other] = [await createPhone(owner), await createPhone(owner)];
    const headers = { 'if-match': await tagOf(`${owner}/phones/${one.id}`) };
    expectProblem(await request('DELETE', `${owner}/phones/${other.id}`, undefined, headers), 412);
    expect(await listPhones(owner)).toHaveLength(2);
  });

  it('keeps the primary number where it is when it does not hold', async () => {
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
    ['a list with the ETag', (tag: string) => `"a", ${tag} ,W/"b"`],
    ['a list with empty elements', (tag: string) => `,"a",, ${tag},`],
  ])('may be %s', async (_, header) => {
    const { path } = await phoneOfNewOwner();
    const headers = { 'if-match': header(await tagOf(path)) };
    expect((await request('PUT', path, { digits: '311' }, headers)).status).toBe(200);
  });

  it('holds for no weak ETag', async () => {
    const { path } = await phoneOfNewOwner();
    const headers = { 'if-match': `W/${await tagOf(path)}` };
    expectProblem(await request('PUT', path, { digits: '311' }, headers), 412);
  });

  it.each(['1.1', '"a" "b', 'W/', '', '"*'])('is refused by name when it is %j', async (header) => {
    const { path } = await phoneOfNewOwner();
    const answer = await request('DELETE', path, undefined, { 'if-match': header });
    expectProblem(answer, 400, expect.stringContaining('If-Match must be'));
    expect((await request('GET', path)).status).toBe(200);
  });

  it('does not hide that a phone is not there', async () => {
    const { owner } = await phoneOfNewOwner();
    for (const header of ['*', '"1.1"']) {
      expectProblem(await request('PUT', `${owner}/phones/2000000000`, {}, { 'if-match': header }), 404);
    }
  });

  it('holds for reads, too', async () => {
    const { owner, path } = await phoneOfNewOwner();
    for (const url of [path, `${owner}/phones`]) {
      expect((await request('GET', url, undefined, { 'if-match': await tagOf(url) })).status).toBe(200);
      expectProblem(await request('GET', url, undefined, { 'if-match': '"another"' }), 412);
    }
  });

  it('lets just one of many changes through that start from the same state', async () => {
    const { path } = await phoneOfNewOwner();
    const headers = { 'if-match': await tagOf(path) };
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, number) =>
        request('PUT', path, { digits: `650-555-01${number}` }, headers),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(19).fill(412)]);
    const [winner] = answers.filter(({ status }) => status === 200);
    expect((await request('GET', path)).body).toEqual(winner?.body);
  });
});

describe('a write that takes no precondition', () => {
  it.each<[Method, string, string, object?]>([
    ['POST', '/phones', 'if-match', { digits: '211' }],
    ['POST', '/phones', 'if-none-match', { digits: '211' }],
    ['PUT', '', 'if-match', { name: 'Another' }],
    ['DELETE', '', 'if-match'],
    ['PUT', '/phones/ID', 'if-none-match', { digits: '211' }],
  ])('is refused with one: %s …%s with %s', async (method, path, header, body) => {
    const owner = await createOwner('organization');
    const phone = await createPhone(owner);
    const { body: organization } = await request('GET', owner);
    const url = owner + path.replace('ID', String(phone.id));
    const answer = await request(method, url, body, { ...AS_ADMIN, [header]: '*' });
    expectProblem(answer, 412, expect.stringMatching(/^If-(None-)?Match is /));
    expect(await listPhones(owner)).toEqual([phone]);
    expect((await request('GET', owner)).body).toEqual(organization);
  });
});

describe('the ETag of a list', () => {
  it('is strong, and another one as soon as the list is', async () => {
    const owner = await createOwner('opportunity');
    const url = `${owner}/phones`;
    const tags = [await tagOf(url)];
    const { id } = await createPhone(owner);
    tags.push(await tagOf(url));
    await request('PUT', `${url}/${id}`, { digits: '311' });
    tags.push(await tagOf(url));
    expect(new Set(tags).size).toBe(3);
    for (const tag of tags) expect(tag).toMatch(STRONG);
    expect(await tagOf(url)).toBe(tags[2]);
    await request('DELETE', `${url}/${id}`);
    expect(await tagOf(url)).toBe(tags[0]);
  });

  it('is there for the lists of owners, too', async () => {
    for (const path of ['/v1/organizations', `${await createOwner('organization')}/locations`]) {
      expect(await tagOf(path)).toMatch(STRONG);
    }
  });
});

describe('If-None-Match', () => {
  it('is answered 304 without a body while nothing has changed', async () => {
    const { owner, path } = await phoneOfNewOwner();
    for (const url of [path, `${owner}/phones`, '/v1/organizations']) {
      const tag = await tagOf(url);
      for (const header of [tag, `W/${tag}`, `"a", ${tag}`, '*']) {
        for (const method of ['GET', 'HEAD'] as const) {
          const answer = await request(method, url, undefined, { 'if-none-match': header });
          expect(answer).toMatchObject({ status: 304, body: '', headers: { etag: tag } });
          expect(answer.headers).toMatchObject({ 'cache-control': 'no-cache' });
        }
      }
    }
  });

  it('is answered 200 after a change', async () => {
    const { owner, path } = await phoneOfNewOwner();
    const [one, list] = [await tagOf(path), await tagOf(`${owner}/phones`)];
    await request('PUT', path, { digits: '311' });
    expect((await request('GET', path, undefined, { 'if-none-match': one })).status).toBe(200);
    expect((await request('GET', `${owner}/phones`, undefined, { 'if-none-match': list })).status).toBe(200);
  });

  it('does not hide that something is not there', async () => {
    expectProblem(
      await request('GET', '/v1/organizations/nobody/phones', undefined, { 'if-none-match': '*' }),
      404,
    );
  });
});

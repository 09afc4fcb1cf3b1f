import { beforeAll, describe, expect, it } from 'vitest';
import { type ApiResponse, expectFieldErrors, expectProblem, request } from './support/api.js';
import { createOrganization } from './support/owners.js';

interface Resource {
  id: number;
  slug?: string;
}

const RESOURCES = [
  { type: 'organization', collection: 'organizations', field: 'name', hasSlug: true },
  { type: 'opportunity', collection: 'opportunities', field: 'title', hasSlug: true },
  { type: 'location', collection: 'locations', field: 'name', hasSlug: false },
] as const;

describe.each(RESOURCES)('For the collection $collection,', ({ type, collection, field, hasSlug }) => {
  let path: string;
  const named = (name: unknown) => ({ [field]: name });
  const create = async (name: string) => (await request<Resource>('POST', path, named(name))).body;

  beforeAll(async () => {
    const { id } = await createOrganization();
    path = type === 'organization' ? '/v1/organizations' : `/v1/organizations/${id}/${collection}`;
  });

  it('POST returns 201 with the Location of the new resource', async () => {
    const created = await request<Resource>('POST', path, named('  Café Olé  '));
    expect(created).toMatchObject({ status: 201, headers: { location: `${path}/${created.body.id}` } });
    expect(created.body).toEqual({
      id: expect.any(Number) as number,
      ...named('Café Olé'),
      ...(hasSlug && { slug: expect.stringMatching(/^cafe-ole/) as string }),
    });
    expect(await request('GET', `${path}/${created.body.id}`)).toMatchObject({
      status: 200,
      body: created.body,
    });
  });

  it('PUT changes the name and keeps the other fields', async () => {
    const resource = await create('Old Name');
    const resourcePath = `${path}/${resource.id}`;
    const renamed = { ...resource, ...named('New Name') };
    expect(await request('PUT', resourcePath, named('New Name'))).toMatchObject({
      status: 200,
      body: renamed,
    });
    expect(await request('PUT', resourcePath, {})).toMatchObject({ status: 200, body: renamed });
    expect(await request('PUT', resourcePath, { ...renamed, id: 0 })).toMatchObject({ body: renamed });
    expect((await request('GET', resourcePath)).body).toEqual(renamed);
  });

  it('DELETE returns 204, and later requests for the resource return 404', async () => {
    const resourcePath = `${path}/${(await create('Short Lived')).id}`;
    expect(await request('DELETE', resourcePath)).toMatchObject({ status: 204, body: '' });
    const detail = `There is no such ${type}.`;
    expectProblem(await request('DELETE', resourcePath), 404, detail);
    expectProblem(await request('GET', resourcePath), 404, detail);
    expectProblem(await request('PUT', resourcePath, named('New Name')), 404, detail);
  });

  it.each([undefined, null, 5, '', '  ', 'x'.repeat(256), 'a\u0000b', 'a\nb', '\ud800', '\u3164', [], {}])(
    'POST and PUT return 400 when the name is %j',
    async (name) => {
      const resource = await create('Kept');
      expectFieldErrors(await request('POST', path, named(name)), { pointer: `/${field}` });
      if (name !== undefined) {
        expectFieldErrors(await request('PUT', `${path}/${resource.id}`, named(name)), {
          pointer: `/${field}`,
        });
      }
      expect((await request('GET', `${path}/${resource.id}`)).body).toEqual(resource);
    },
  );

  it('POST returns 400 when the body has an unknown field', async () => {
    expectFieldErrors(await request('POST', path, { ...named('Here'), organization_id: 1 }), {
      pointer: '/organization_id',
      detail: 'is not a known field',
    });
  });

  describe('GET', () => {
    const parseLinks = (link: unknown): Record<string, string | undefined> => {
      const links = String(link).matchAll(/<([^>]+)>; rel="(\w+)"/g);
      return Object.fromEntries(
        [...links].map(([, target = '', rel = '']): [string, string] => [rel, target]),
      );
    };

    it('returns the list in pages ordered by ID, with links to the other pages', async () => {
      for (let count = 0; count < 12; count++) await create(`Number ${count}`);
      const all = (await request<Resource[]>('GET', `${path}?per_page=100`)).body;
      expect(all.map(({ id }) => id)).toEqual(all.map(({ id }) => id).sort((a, b) => a - b));

      const collected: Resource[] = [];
      for (let next: string | undefined = `${path}?per_page=5`; next !== undefined;) {
        const { body, headers }: ApiResponse<Resource[]> = await request('GET', next);
        collected.push(...body);
        next = parseLinks(headers.link).next;
      }
      expect(collected).toEqual(all);

      const last = Math.ceil(all.length / 5);
      const { headers } = await request('GET', `${path}?page=2&per_page=5`);
      const page = (number: number) => `${path}?page=${number}&per_page=5`;
      expect(parseLinks(headers.link)).toEqual({
        first: page(1),
        prev: page(1),
        ...(last > 2 && { next: page(3) }),
        last: page(last),
      });
    });

    it('returns ten items per page when per_page is not given', async () => {
      expect((await request<Resource[]>('GET', path)).body).toHaveLength(10);
      expect((await request<Resource[]>('GET', `${path}?per_page=11`)).body).toHaveLength(11);
    });

    it('returns an empty list for a page after the last one', async () => {
      expect(await request('GET', `${path}?page=1000000&per_page=100`)).toMatchObject({
        status: 200,
        body: [],
      });
    });

    it.each(['0', '-1', '1.5', 'x', '', '1000001', '9'.repeat(30), '1e3', '%00', '1&page=2'])(
      'returns 400 for page=%s',
      async (page) => {
        expectFieldErrors(await request('GET', `${path}?page=${page}`), { parameter: 'page' });
      },
    );

    it.each(['0', '-1', '101', '2.5', 'x', ''])('returns 400 for per_page=%s', async (perPage) => {
      expectFieldErrors(await request('GET', `${path}?per_page=${perPage}`), { parameter: 'per_page' });
    });

    it.each(['perpage', 'sort', '__proto__', 'constructor', 'toString', ''])(
      'returns 400 for the unknown query parameter "%s"',
      async (parameter) => {
        const error = { parameter, detail: 'is not a known parameter' };
        expectFieldErrors(await request('GET', `${path}?page=1&${parameter}=1`), error);
        expectFieldErrors(await request('GET', `${path}?${parameter}=1&${parameter}=2&page=1`), error);
      },
    );

    it('accepts api_key, which authentication reads', async () => {
      expect((await request('GET', `${path}?page=1&api_key=x`)).status).toBe(200);
    });

    it('returns 400 for more than 50 query parameters', async () => {
      const query = Array.from({ length: 51 }, (_, number) => `p${number}`).join('&');
      const detail = 'The query has 51 parameters, but at most 50 are allowed.';
      expectProblem(await request('GET', `${path}?${query}`), 400, detail);
    });
  });
});

describe('DELETE /v1/organizations/:id', () => {
  it('deletes the opportunities and locations of the organization too', async () => {
    const organization = `/v1/organizations/${(await createOrganization()).id}`;
    for (const [collection, body] of [
      ['opportunities', { title: 'Meals' }],
      ['locations', { name: 'Hall' }],
    ] as const) {
      const { headers } = await request('POST', `${organization}/${collection}`, body);
      expect((await request('GET', String(headers.location))).status).toBe(200);
    }
    await request('DELETE', organization);
    for (const path of ['', '/opportunities', '/opportunities/1', '/locations', '/locations/1']) {
      expectProblem(await request('GET', organization + path), 404, 'There is no such organization.');
    }
    expectProblem(await request('POST', `${organization}/locations`, { name: 'Hall' }), 404);
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import { createApiKey } from '../src/auth/api-key.js';
import {
  AS_ADMIN,
  app,
  expectFieldErrors,
  expectProblem,
  type Method,
  request,
  restart,
} from './support/api.js';
import { type Client, createClient } from './support/clients.js';
import { keyHeader } from './support/database.js';
import {
  createOrganization,
  createOwner,
  createPhone,
  listPhones,
  type Organization,
  type Phone,
} from './support/owners.js';

let organization: Organization;
let own: string;
let owner: Client & { key: string };
let stranger: Client & { key: string };
let strange: string;
let strangePhone: Phone;

beforeAll(async () => {
  await restart({ REQUIRE_API_KEY: 'always' });
  organization = await createOrganization('Youth Line');
  own = `/v1/organizations/${organization.id}`;
  owner = await createClient({ organization_ids: [organization.id] });
  const { id } = await createOrganization('Youth Line');
  strange = `/v1/organizations/${id}`;
  stranger = await createClient({ organization_ids: [id] });
  strangePhone = await createPhone(strange);
});

const PHONE = { digits: '650-555-0100' };

describe('a key is taken', () => {
  it.each([
    ['Authorization: Bearer', (key: string) => ({ headers: { authorization: `Bearer ${key}` } })],
    ['authorization: bEARER', (key: string) => ({ headers: { authorization: `bEARER  ${key}` } })],
    ['X-API-Key', (key: string) => ({ headers: { 'X-API-Key': key } })],
    ['?api_key', (key: string) => ({ query: { api_key: key } })],
    [
      'all three, when they are the same',
      (key: string) => ({
        headers: { authorization: `Bearer ${key}`, 'x-api-key': key },
        query: { api_key: key },
      }),
    ],
    [
      'X-API-Key beside credentials for somebody else',
      (key: string) => ({ headers: { 'x-api-key': key, authorization: 'Basic dTpw' } }),
    ],
  ])('from %s', async (_, place) => {
    const phones = await listPhones(own);
    const response = await app.inject({
      method: 'POST',
      url: `${own}/phones`,
      payload: PHONE,
      ...place(owner.key),
    });
    expect(response.statusCode).toBe(201);
    expect(await listPhones(own)).toHaveLength(phones.length + 1);
  });

  it.each([
    ['a cookie', { headers: { cookie: 'api_key=KEY' } }],
    ['Basic credentials', { headers: { authorization: `Basic KEY` } }],
    ['Authorization without its scheme', { headers: { authorization: 'KEY' } }],
    [
      'another header',
      { headers: { 'api-key': 'KEY', 'x-auth-token': 'KEY', 'proxy-authorization': 'Bearer KEY' } },
    ],
    ['another parameter', { query: { key: 'KEY', API_KEY: 'KEY', 'X-API-Key': 'KEY', access_token: 'KEY' } }],
    ['the body', { payload: { ...PHONE, api_key: 'KEY' } }],
  ])('not from %s', async (_, place) => {
    const filled = JSON.parse(JSON.stringify(place).replaceAll('KEY', owner.key)) as object;
    const response = await app.inject({ method: 'POST', url: `${own}/phones`, payload: PHONE, ...filled });
    expect(response.statusCode).toBe(401);
    expect(response.headers['www-authenticate']).toBe('Bearer realm="phones"');
    expect(response.json()).toMatchObject({ status: 401, detail: 'An API key is required.' });
    expect(response.body).not.toContain(owner.key);
  });

  it.each(['x', 'phones_', 'null', 'a b', '€', createApiKey().toUpperCase(), `${createApiKey()},x`])(
    'not when it is none: %j',
    async (key) => {
      for (const place of [
        { headers: { authorization: `Bearer ${encodeURI(key)}` } },
        { headers: { 'x-api-key': encodeURI(key) } },
        { query: { api_key: key } },
      ]) {
        const response = await app.inject({ url: `${own}/phones`, ...place });
        expect(response.statusCode).toBe(401);
        expect(response.headers['www-authenticate']).toBe('Bearer realm="phones", error="invalid_token"');
        expect(response.json()).toMatchObject({
          detail: 'This is no API key: it is incomplete or mistyped.',
        });
      }
    },
  );

  it('not when there are two that differ, wherever they stand', async () => {
    const keys = [owner.key, stranger.key] as const;
    for (const [one, other] of [keys, keys.toReversed() as [string, string]]) {
      for (const place of [
        { headers: { authorization: `Bearer ${one}`, 'x-api-key': other } },
        { headers: { authorization: `Bearer ${one}` }, query: { api_key: other } },
        { headers: { 'x-api-key': one }, query: { api_key: other } },
        { query: { api_key: [one, other] } },
      ]) {
        const response = await app.inject({ method: 'POST', url: `${own}/phones`, payload: PHONE, ...place });
        expect(response.statusCode).toBe(400);
        expect(response.json()).toMatchObject({
          detail: 'The request brings two different API keys; send one.',
        });
      }
    }
  });

  it('not when it is empty, which counts as none', async () => {
    for (const place of [
      { headers: { 'x-api-key': '' } },
      { headers: { authorization: 'Bearer ' } },
      { query: { api_key: '' } },
    ]) {
      const response = await app.inject({ url: `${own}/phones`, ...place });
      expect(response.json()).toMatchObject({ status: 401, detail: 'An API key is required.' });
    }
    const beside = { authorization: `Bearer ${owner.key}`, 'x-api-key': '' };
    expect((await request('GET', own, undefined, beside)).status).toBe(200);
  });

  it('not when it is well-formed and unknown', async () => {
    const answer = await request('GET', `${own}/phones`, undefined, keyHeader(createApiKey()));
    expectProblem(answer, 401, 'The API key is unknown, expired or revoked.');
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="phones", error="invalid_token"');
  });
});

describe('a client may write to its own organizations', () => {
  const attempt = (method: Method, url: string, body?: object, headers = {}) =>
    request(method, url, body, { ...keyHeader(owner.key), ...headers });

  it.each(['organization', 'opportunity', 'location'] as const)('and to all of an %s there', async (type) => {
    const path = await createOwner(type, organization.id);
    const { status, headers } = await attempt('POST', `${path}/phones`, PHONE);
    expect(status).toBe(201);
    const phone = String(headers.location);
    expect((await attempt('PUT', phone, { is_primary: false })).status).toBe(200);
    expect((await attempt('GET', phone)).status).toBe(200);
    expect((await attempt('DELETE', phone)).status).toBe(204);
    if (type === 'organization') return;
    expect((await attempt('PUT', path, {})).status).toBe(200);
    expect((await attempt('DELETE', path)).status).toBe(204);
  });

  it('by ID and by slug, however they are written', async () => {
    for (const name of [
      organization.slug,
      `0${organization.id}`,
      `%${organization.id.toString().charCodeAt(0).toString(16)}${String(organization.id).slice(1)}`,
    ]) {
      expect((await attempt('POST', `/v1/organizations/${name}/phones`, PHONE)).status).toBe(201);
    }
  });

  it('and reads those of others', async () => {
    expect((await attempt('GET', `${strange}/phones`)).body).toEqual([strangePhone]);
  });

  it('but not to another, whether or not there is what it names, and whatever it sends', async () => {
    const refused =
      'The client of this key may not manage this organization: it is not among its organization_ids.';
    for (const url of [
      `${strange}/phones/${strangePhone.id}`,
      `${strange}/phones/2147483647`,
      `${strange}/phones/abc`,
      `${strange}/opportunities/1/phones/1`,
      '/v1/organizations/2147483647/phones/1',
      '/v1/organizations/no-such-one/phones/1',
      '/v1/organizations/%00/phones/1',
    ]) {
      for (const body of [{ digits: '711' }, { digits: 711 }, {}]) {
        expectProblem(await attempt('PUT', url, body), 403, refused);
        expectProblem(await attempt('DELETE', url), 403, refused);
        expectProblem(await attempt('POST', url.replace(/\/[^/]+$/, ''), body), 403, refused);
      }
    }
    expect(await listPhones(strange)).toEqual([strangePhone]);
  });

  it('not to the phone of another under its own path', async () => {
    for (const path of [
      own,
      await createOwner('opportunity', organization.id),
      await createOwner('location', organization.id),
    ]) {
      const url = `${path}/phones/${strangePhone.id}`;
      expectProblem(await attempt('PUT', url, { digits: '711' }), 404, 'There is no such phone.');
      expectProblem(await attempt('DELETE', url), 404, 'There is no such phone.');
    }
    for (const type of ['opportunity', 'location'] as const) {
      const foreign = await createOwner(type, Number(strange.split('/').at(-1)));
      const url = foreign.replace(strange, own);
      expectProblem(await attempt('PUT', url, {}), 404);
      expectProblem(await attempt('DELETE', url), 404);
      expectProblem(await attempt('POST', `${url}/phones`, PHONE), 404);
      expect((await attempt('GET', foreign)).status).toBe(200);
    }
    expect(await listPhones(strange)).toEqual([strangePhone]);
  });

  it('not by a slug that looks like the ID of its own', async () => {
    const { body } = await request<Organization>(
      'POST',
      '/v1/organizations',
      { name: String(organization.id) },
      AS_ADMIN,
    );
    expect(body.slug).toBe(`organization-${organization.id}`);
    for (const name of [body.slug, String(body.id)]) {
      expectProblem(await attempt('POST', `/v1/organizations/${name}/phones`, PHONE), 403);
    }
    expect(await listPhones(`/v1/organizations/${body.id}`)).toEqual([]);
  });

  it('not by fields that say whose a phone is', async () => {
    const strangeId = Number(strange.split('/').at(-1));
    const theirs = {
      owner_id: strangeId,
      owner_type: 'organization',
      organization_id: strangeId,
      is_admin: true,
    };
    const faults = Object.keys(theirs).map((field) => ({
      pointer: `/${field}`,
      detail: 'is not a known field',
    }));
    const phone = await createPhone(own);
    expectFieldErrors(await attempt('POST', `${own}/phones`, { ...PHONE, ...theirs }), ...faults);
    expectFieldErrors(await attempt('PUT', `${own}/phones/${phone.id}`, theirs), ...faults);
    expectFieldErrors(await attempt('PUT', own, theirs), ...faults);
    // An id in a body is ignored: it is the path that says which phone.
    await attempt('PUT', `${own}/phones/${phone.id}`, { id: strangePhone.id, digits: '711' });
    expect(await listPhones(strange)).toEqual([strangePhone]);
  });

  it('not by a method in a header, a parameter or a body', async () => {
    const override = Object.fromEntries(
      ['x-http-method-override', 'x-http-method', 'x-method-override', 'x-original-method'].map((name) => [
        name,
        'DELETE',
      ]),
    );
    const phone = `${strange}/phones/${strangePhone.id}`;
    expect(await attempt('GET', `${phone}?_method=DELETE`, undefined, override)).toMatchObject({
      body: strangePhone,
    });
    expectProblem(await attempt('POST', `${phone}?_method=GET`, { _method: 'DELETE' }, override), 405);
    expectProblem(await attempt('DELETE', phone, undefined, { 'x-http-method-override': 'GET' }), 403);
    expect(await listPhones(strange)).toEqual([strangePhone]);
  });

  it('not by a path that is written otherwise, or that a header names', async () => {
    const [, , , id = ''] = strange.split('/');
    const headers = {
      'x-original-url': `${strange}/phones`,
      'x-rewrite-url': `${strange}/phones`,
      'x-forwarded-prefix': strange,
    };
    for (const url of [
      `/v1//organizations/${id}/phones`,
      `//v1/organizations/${id}/phones`,
      `/v1/organizations//${id}/phones`,
      `/v1/organizations/${id}//phones`,
      `/v1/organizations/${organization.id}/../${id}/phones`,
      `/v1/organizations/${organization.id}/%2e%2e/${id}/phones`,
      `/v1/organizations/${organization.id}%2f..%2f${id}/phones`,
      `/v1/organizations%2f${id}/phones`,
      `/v1/organizations/${id}%2fphones`,
      `/v1/organizations/${id};${organization.id}/phones`,
      `/v1/organizations/${organization.id};/../${id}/phones`,
      `/v1/organizations/${id}%00/phones`,
      `/v1/organizations/${id}%20/phones`,
      `/v1/organizations/+${id}/phones`,
      `/v1/organizations/${id}.0/phones`,
      `/v1/organizations/0x${Number(id).toString(16)}/phones`,
      `/v1/Organizations/${id}/phones`,
      `/V1/organizations/${id}/phones`,
      `/v1/organizations/${id}/PHONES`,
      `/v1/organizations/${id}/phones?organization_id=${organization.id}`,
      `/v1/organizations/${id}/phones#${own}/phones`,
      `/v1/organizations/YOUTH-LINE/phones`,
    ]) {
      const answer = await attempt('POST', url, PHONE);
      expect(`${url} ${answer.status}`).toMatch(/ (400|403|404|405)$/);
      expectProblem(answer, answer.status);
    }
    const phones = await listPhones(own);
    expect((await attempt('POST', `${own}/phones`, PHONE, headers)).status).toBe(201);
    expect(await listPhones(own)).toHaveLength(phones.length + 1);
    expect(await listPhones(strange)).toEqual([strangePhone]);
  });

  it('not to one that has taken the slug of its own, which was deleted', async () => {
    const gone = await createOrganization('Night Shelter');
    const { key } = await createClient({ organization_ids: [gone.id] });
    const phones = `/v1/organizations/${gone.slug}/phones`;
    expect((await request('POST', phones, PHONE, keyHeader(key))).status).toBe(201);
    await request('DELETE', `/v1/organizations/${gone.id}`, undefined, AS_ADMIN);
    const successor = await createOrganization('Night Shelter');
    expect(successor.slug).toBe(gone.slug);
    expectProblem(await request('POST', phones, PHONE, keyHeader(key)), 404);
    expect(await listPhones(`/v1/organizations/${successor.id}`)).toEqual([]);
  });

  it('not create organizations or delete its own', async () => {
    const refused = 'Only an admin may do this, and the client of this key is not one.';
    expectProblem(await attempt('POST', '/v1/organizations', { name: 'Mine' }), 403, refused);
    expectProblem(await attempt('DELETE', own), 403, refused);
    expect((await attempt('PUT', own, { name: 'Youth Line 24/7' })).status).toBe(200);
  });
});

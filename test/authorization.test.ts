import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
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
import { type Client, createClient, deleteClient } from './support/clients.js';
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
let ownPath: string;
let client: Client & { key: string };
let otherClient: Client & { key: string };
let otherPath: string;
let otherPhone: Phone;

beforeAll(async () => {
  await restart({ REQUIRE_API_KEY: 'always' });
  organization = await createOrganization('Youth Line');
  ownPath = `/v1/organizations/${organization.id}`;
  client = await createClient({ organization_ids: [organization.id] });
  const { id } = await createOrganization('Youth Line');
  otherPath = `/v1/organizations/${id}`;
  otherClient = await createClient({ organization_ids: [id] });
  otherPhone = await createPhone(otherPath);
});

const PHONE = { digits: '650-555-0100' };

describe('An API key', () => {
  it.each([
    ['Authorization: Bearer', (key: string) => ({ headers: { authorization: `Bearer ${key}` } })],
    ['authorization: bEARER', (key: string) => ({ headers: { authorization: `bEARER  ${key}` } })],
    ['X-API-Key', (key: string) => ({ headers: { 'X-API-Key': key } })],
    ['?api_key', (key: string) => ({ query: { api_key: key } })],
    [
      'all three places, when they carry the same key',
      (key: string) => ({
        headers: { authorization: `Bearer ${key}`, 'x-api-key': key },
        query: { api_key: key },
      }),
    ],
    [
      'X-API-Key next to Basic credentials for another service',
      (key: string) => ({ headers: { 'x-api-key': key, authorization: 'Basic dTpw' } }),
    ],
  ])('is accepted from %s', async (_, credentials) => {
    const phones = await listPhones(ownPath);
    const response = await app.inject({
      method: 'POST',
      url: `${ownPath}/phones`,
      payload: PHONE,
      ...credentials(client.key),
    });
    expect(response.statusCode).toBe(201);
    expect(await listPhones(ownPath)).toHaveLength(phones.length + 1);
  });

  it.each([
    ['a cookie', { headers: { cookie: 'api_key=KEY' } }],
    ['Basic credentials', { headers: { authorization: `Basic KEY` } }],
    ['an Authorization header without a scheme', { headers: { authorization: 'KEY' } }],
    [
      'another header',
      { headers: { 'api-key': 'KEY', 'x-auth-token': 'KEY', 'proxy-authorization': 'Bearer KEY' } },
    ],
    [
      'another query parameter',
      { query: { key: 'KEY', API_KEY: 'KEY', 'X-API-Key': 'KEY', access_token: 'KEY' } },
    ],
    ['the body', { payload: { ...PHONE, api_key: 'KEY' } }],
  ])('is ignored in %s, so the request is rejected with 401', async (_, credentials) => {
    const withKey = JSON.parse(JSON.stringify(credentials).replaceAll('KEY', client.key)) as object;
    const response = await app.inject({
      method: 'POST',
      url: `${ownPath}/phones`,
      payload: PHONE,
      ...withKey,
    });
    expect(response.statusCode).toBe(401);
    expect(response.headers['www-authenticate']).toBe('Bearer realm="phones"');
    expect(response.json()).toMatchObject({ status: 401, detail: 'An API key is required.' });
    expect(response.body).not.toContain(client.key);
  });

  it.each(['x', 'phones_', 'null', 'a b', '€', createApiKey().toUpperCase(), `${createApiKey()},x`])(
    'is rejected with 401 when it is malformed: %j',
    async (key) => {
      for (const credentials of [
        { headers: { authorization: `Bearer ${encodeURI(key)}` } },
        { headers: { 'x-api-key': encodeURI(key) } },
        { query: { api_key: key } },
      ]) {
        const response = await app.inject({ url: `${ownPath}/phones`, ...credentials });
        expect(response.statusCode).toBe(401);
        expect(response.headers['www-authenticate']).toBe('Bearer realm="phones", error="invalid_token"');
        expect(response.json()).toMatchObject({
          detail: 'The API key is malformed.',
        });
      }
    },
  );

  it('is rejected with 400 when the request contains a different key as well', async () => {
    const keys = [client.key, otherClient.key] as const;
    for (const [one, other] of [keys, keys.toReversed() as [string, string]]) {
      for (const credentials of [
        { headers: { authorization: `Bearer ${one}`, 'x-api-key': other } },
        { headers: { authorization: `Bearer ${one}` }, query: { api_key: other } },
        { headers: { 'x-api-key': one }, query: { api_key: other } },
        { query: { api_key: [one, other] } },
      ]) {
        const response = await app.inject({
          method: 'POST',
          url: `${ownPath}/phones`,
          payload: PHONE,
          ...credentials,
        });
        expect(response.statusCode).toBe(400);
        expect(response.json()).toMatchObject({
          detail: 'The request has two different API keys; send one.',
        });
      }
    }
  });

  it('counts as missing when it is empty', async () => {
    for (const credentials of [
      { headers: { 'x-api-key': '' } },
      { headers: { authorization: 'Bearer ' } },
      { query: { api_key: '' } },
    ]) {
      const response = await app.inject({ url: `${ownPath}/phones`, ...credentials });
      expect(response.json()).toMatchObject({ status: 401, detail: 'An API key is required.' });
    }
    const withEmptyKey = { authorization: `Bearer ${client.key}`, 'x-api-key': '' };
    expect((await request('GET', ownPath, undefined, withEmptyKey)).status).toBe(200);
  });

  it('is rejected with 401 when it is well-formed but unknown', async () => {
    const response = await request('GET', `${ownPath}/phones`, undefined, keyHeader(createApiKey()));
    expectProblem(response, 401, 'The API key is unknown, expired or revoked.');
    expect(response.headers['www-authenticate']).toBe('Bearer realm="phones", error="invalid_token"');
  });
});

describe('A client', () => {
  const requestAsClient = (method: Method, url: string, body?: object, headers = {}) =>
    request(method, url, body, { ...keyHeader(client.key), ...headers });

  it.each(['organization', 'opportunity', 'location'] as const)(
    'can manage the phones of its own %s',
    async (type) => {
      const path = await createOwner(type, organization.id);
      const { status, headers } = await requestAsClient('POST', `${path}/phones`, PHONE);
      expect(status).toBe(201);
      const phone = String(headers.location);
      expect((await requestAsClient('PUT', phone, { is_primary: false })).status).toBe(200);
      expect((await requestAsClient('GET', phone)).status).toBe(200);
      expect((await requestAsClient('DELETE', phone)).status).toBe(204);
      if (type === 'organization') return;
      expect((await requestAsClient('PUT', path, {})).status).toBe(200);
      expect((await requestAsClient('DELETE', path)).status).toBe(204);
    },
  );

  it('can address its organization by ID and by slug, also with leading zeros or percent-encoding', async () => {
    for (const name of [
      organization.slug,
      `0${organization.id}`,
      `%${organization.id.toString().charCodeAt(0).toString(16)}${String(organization.id).slice(1)}`,
    ]) {
      expect((await requestAsClient('POST', `/v1/organizations/${name}/phones`, PHONE)).status).toBe(201);
    }
  });

  it('can read the phones of another organization', async () => {
    expect((await requestAsClient('GET', `${otherPath}/phones`)).body).toEqual([otherPhone]);
  });

  it('gets 403 when it writes to another organization, even if the resource does not exist or the body is invalid', async () => {
    const detail =
      'The client of this API key may not manage this organization: it is not among its organization_ids.';
    for (const url of [
      `${otherPath}/phones/${otherPhone.id}`,
      `${otherPath}/phones/2147483647`,
      `${otherPath}/phones/abc`,
      `${otherPath}/opportunities/1/phones/1`,
      '/v1/organizations/2147483647/phones/1',
      '/v1/organizations/no-such-one/phones/1',
      '/v1/organizations/%00/phones/1',
    ]) {
      for (const body of [{ digits: '711' }, { digits: 711 }, {}]) {
        expectProblem(await requestAsClient('PUT', url, body), 403, detail);
        expectProblem(await requestAsClient('DELETE', url), 403, detail);
        expectProblem(await requestAsClient('POST', url.replace(/\/[^/]+$/, ''), body), 403, detail);
      }
    }
    expect(await listPhones(otherPath)).toEqual([otherPhone]);
  });

  it('gets 404 when it writes to a resource of another organization under its own path', async () => {
    for (const path of [
      ownPath,
      await createOwner('opportunity', organization.id),
      await createOwner('location', organization.id),
    ]) {
      const url = `${path}/phones/${otherPhone.id}`;
      expectProblem(await requestAsClient('PUT', url, { digits: '711' }), 404, 'There is no such phone.');
      expectProblem(await requestAsClient('DELETE', url), 404, 'There is no such phone.');
    }
    for (const type of ['opportunity', 'location'] as const) {
      const otherOwner = await createOwner(type, Number(otherPath.split('/').at(-1)));
      const url = otherOwner.replace(otherPath, ownPath);
      expectProblem(await requestAsClient('PUT', url, {}), 404);
      expectProblem(await requestAsClient('DELETE', url), 404);
      expectProblem(await requestAsClient('POST', `${url}/phones`, PHONE), 404);
      expect((await requestAsClient('GET', otherOwner)).status).toBe(200);
    }
    expect(await listPhones(otherPath)).toEqual([otherPhone]);
  });

  it('gets 403 when it writes to an organization whose name is the ID of its own', async () => {
    const { body } = await request<Organization>(
      'POST',
      '/v1/organizations',
      { name: String(organization.id) },
      AS_ADMIN,
    );
    expect(body.slug).toBe(`organization-${organization.id}`);
    for (const name of [body.slug, String(body.id)]) {
      expectProblem(await requestAsClient('POST', `/v1/organizations/${name}/phones`, PHONE), 403);
    }
    expect(await listPhones(`/v1/organizations/${body.id}`)).toEqual([]);
  });

  it('gets 400 when the body contains fields that would change the owner of a resource', async () => {
    const otherId = Number(otherPath.split('/').at(-1));
    const ownerFields = {
      owner_id: otherId,
      owner_type: 'organization',
      organization_id: otherId,
      is_admin: true,
    };
    const errors = Object.keys(ownerFields).map((field) => ({
      pointer: `/${field}`,
      detail: 'is not a known field',
    }));
    const phone = await createPhone(ownPath);
    expectFieldErrors(
      await requestAsClient('POST', `${ownPath}/phones`, { ...PHONE, ...ownerFields }),
      ...errors,
    );
    expectFieldErrors(await requestAsClient('PUT', `${ownPath}/phones/${phone.id}`, ownerFields), ...errors);
    expectFieldErrors(await requestAsClient('PUT', ownPath, ownerFields), ...errors);
    // The ID in a body is ignored because the path identifies the phone.
    await requestAsClient('PUT', `${ownPath}/phones/${phone.id}`, { id: otherPhone.id, digits: '711' });
    expect(await listPhones(otherPath)).toEqual([otherPhone]);
  });

  it('cannot override the method in a header, a query parameter or the body', async () => {
    const overrideHeaders = Object.fromEntries(
      ['x-http-method-override', 'x-http-method', 'x-method-override', 'x-original-method'].map((name) => [
        name,
        'DELETE',
      ]),
    );
    const phone = `${otherPath}/phones/${otherPhone.id}`;
    expect(await requestAsClient('GET', phone, undefined, overrideHeaders)).toMatchObject({
      body: otherPhone,
    });
    expectProblem(await requestAsClient('GET', `${phone}?_method=DELETE`), 400);
    expectProblem(
      await requestAsClient('POST', `${phone}?_method=GET`, { _method: 'DELETE' }, overrideHeaders),
      405,
    );
    expectProblem(
      await requestAsClient('DELETE', phone, undefined, { 'x-http-method-override': 'GET' }),
      403,
    );
    expect(await listPhones(otherPath)).toEqual([otherPhone]);
  });

  it('cannot write to another organization by an unusual spelling of the path or a path in a header', async () => {
    const [, , , id = ''] = otherPath.split('/');
    const headers = {
      'x-original-url': `${otherPath}/phones`,
      'x-rewrite-url': `${otherPath}/phones`,
      'x-forwarded-prefix': otherPath,
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
      `/v1/organizations/${id}/phones#${ownPath}/phones`,
      `/v1/organizations/YOUTH-LINE/phones`,
    ]) {
      const response = await requestAsClient('POST', url, PHONE);
      expect(`${url} ${response.status}`).toMatch(/ (400|403|404|405)$/);
      expectProblem(response, response.status);
    }
    const phones = await listPhones(ownPath);
    expect((await requestAsClient('POST', `${ownPath}/phones`, PHONE, headers)).status).toBe(201);
    expect(await listPhones(ownPath)).toHaveLength(phones.length + 1);
    expect(await listPhones(otherPath)).toEqual([otherPhone]);
  });

  it('gets 404 when another organization has taken the slug of its deleted one', async () => {
    const deleted = await createOrganization('Night Shelter');
    const { key } = await createClient({ organization_ids: [deleted.id] });
    const phones = `/v1/organizations/${deleted.slug}/phones`;
    expect((await request('POST', phones, PHONE, keyHeader(key))).status).toBe(201);
    await request('DELETE', `/v1/organizations/${deleted.id}`, undefined, AS_ADMIN);
    const successor = await createOrganization('Night Shelter');
    expect(successor.slug).toBe(deleted.slug);
    expectProblem(await request('POST', phones, PHONE, keyHeader(key)), 404);
    expect(await listPhones(`/v1/organizations/${successor.id}`)).toEqual([]);
  });

  it('gets 403 when it creates an organization or deletes its own', async () => {
    const detail = 'This requires the API key of an admin.';
    expectProblem(await requestAsClient('POST', '/v1/organizations', { name: 'Mine' }), 403, detail);
    expectProblem(await requestAsClient('DELETE', ownPath), 403, detail);
    expect((await requestAsClient('PUT', ownPath, { name: 'Youth Line 24/7' })).status).toBe(200);
  });
});

describe('A request whose body has not arrived', () => {
  const BODY = JSON.stringify(PHONE);
  let port: number;

  async function listen(settings: { RATE_LIMIT_WRITES?: string } = {}): Promise<void> {
    await restart({ REQUIRE_API_KEY: 'always', ...settings });
    await app.listen(0, '127.0.0.1');
    port = (app.getHttpServer().address() as AddressInfo).port;
  }

  /** Sends the head of a request and one byte of its body. */
  function startUpload(method: string, path: string, key?: string): Socket {
    const socket = connect(port, '127.0.0.1');
    const apiKey = key === undefined ? '' : `X-API-Key: ${key}\r\n`;
    socket.write(
      `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n` +
        `${apiKey}Content-Length: ${BODY.length}\r\n\r\n${BODY[0]}`,
    );
    return socket;
  }

  it('is rejected with 401, 403 or 429 without waiting for the body', async () => {
    await listen({ RATE_LIMIT_WRITES: '3' });
    for (const [status, key] of [
      [403, otherClient.key],
      [401, undefined],
      [401, 'malformed'],
      [401, createApiKey()],
      [429, undefined],
    ] as const) {
      expect(await text(startUpload('POST', `${ownPath}/phones`, key))).toMatch(
        new RegExp(`^HTTP/1.1 ${status} `),
      );
    }
  });

  it.each([
    ['POST', '/v1/nothing', 404],
    ['DELETE', '/nothing', 404],
    ['POST', '/health/live', 405],
    ['POST', '/docs', 405],
  ])('is rejected without waiting for it if there is no such route: %s %s', async (method, path, status) => {
    await listen();
    expect(await text(startUpload(method, path))).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  it('gets 401 when its key is revoked before the rest of the body arrives', async () => {
    await listen();
    const { id, key } = await createClient({ organization_ids: [organization.id] });
    const phones = await listPhones(ownPath);
    const socket = startUpload('POST', `${ownPath}/phones`, key);
    // The cached key shows that the head of the POST was authorized, as requests are handled in order.
    await once(socket, 'connect');
    expect((await request('GET', ownPath, undefined, keyHeader(key))).status).toBe(200);
    await deleteClient(id);
    socket.write(BODY.slice(1));
    expect(await text(socket)).toMatch(/^HTTP\/1.1 401 /);
    expect(await listPhones(ownPath)).toEqual(phones);
  });
});

import { Pool } from 'pg';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import dataSource from '../ormconfig.js';
import { app, AS_ADMIN, expectFieldErrors, expectProblem, request, restart } from './support/api.js';
import { type ApiKey, type Client, createClient, deleteClient, getClient } from './support/clients.js';
import { keyHeader } from './support/database.js';
import { createOrganization, createPhone } from './support/owners.js';

const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();

beforeAll(() => restart({ REQUIRE_API_KEY: 'always' }));

const asAdmin = <Body = unknown>(method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, body?: unknown) =>
  request<Body>(method, url, body, AS_ADMIN);

/** Returns the status of a read with the key: 200 if the key is valid, or else 401. */
async function statusWith(key: string): Promise<number> {
  return (await request('GET', '/v1/organizations', undefined, keyHeader(key))).status;
}

async function createSecondKey(id: number, body?: object): Promise<ApiKey & { key: string }> {
  const response = await asAdmin<ApiKey & { key: string }>('POST', `/v1/clients/${id}/keys`, body);
  expect(response.status).toBe(201);
  return response.body;
}

/** How far the clocks of the service and of the database may differ, in milliseconds. */
const CLOCK_TOLERANCE = 200;

/**
 * Uses a key until it is rejected, and returns when the last accepted request was sent, so that a busy machine does not
 * count.
 */
async function lastAcceptedAt(key: string): Promise<number> {
  let acceptedAt = 0;
  for (;;) {
    const sentAt = Date.now();
    if ((await statusWith(key)) === 401) return acceptedAt;
    acceptedAt = sentAt;
  }
}

describe('A client', () => {
  it('is created with a key, which no later response contains', async () => {
    const { id: organizationId } = await createOrganization();
    const created = await asAdmin<Client & { key: string }>('POST', '/v1/clients', {
      name: '  Intake desk ',
      organization_ids: [organizationId],
    });
    expect(created).toMatchObject({
      status: 201,
      headers: { location: `/v1/clients/${created.body.id}`, 'cache-control': 'no-store' },
    });
    const { key, ...client } = created.body;
    expect(client).toEqual({
      id: expect.any(Number) as number,
      name: 'Intake desk',
      is_admin: false,
      organization_ids: [organizationId],
      keys: [
        {
          id: expect.any(Number) as number,
          prefix: key.slice(0, 15),
          created_at: expect.stringMatching(/^\d{4}-.*Z$/) as string,
          last_used_at: null,
          expires_at: null,
        },
      ],
    });
    const shown = await asAdmin('GET', `/v1/clients/${client.id}`);
    expect(shown).toMatchObject({
      status: 200,
      body: client,
      headers: { 'cache-control': 'private, no-cache' },
    });
    expect(JSON.stringify(shown.body)).not.toContain(key);
    const list = await asAdmin<Client[]>('GET', '/v1/clients?per_page=100');
    expect(list.body).toContainEqual(client);
    expect(list.headers.link).toContain('rel="first"');
  });

  it('appears once in the paginated list, even with several organizations and keys', async () => {
    const organization_ids = [await createOrganization(), await createOrganization()].map(({ id }) => id);
    for (let count = 0; count < 5; count++)
      await createSecondKey((await createClient({ organization_ids })).id);
    const all = (await asAdmin<Client[]>('GET', '/v1/clients?per_page=100')).body;
    const collected: Client[] = [];
    for (let page = 1; page <= Math.ceil(all.length / 2); page++) {
      collected.push(...(await asAdmin<Client[]>('GET', `/v1/clients?per_page=2&page=${page}`)).body);
    }
    expect(collected).toEqual(all);
    expect(all.at(-1)).toMatchObject({ organization_ids, keys: [{}, {}] });
  });

  it('has its key stored only as a hash', async () => {
    const { key } = await createClient();
    const rows = JSON.stringify([
      await dataSource.query('SELECT *, encode(hash, $1) FROM api_keys', ['escape']),
      await dataSource.query('SELECT * FROM clients'),
    ]);
    expect(rows).not.toContain(key.slice(15, 40));
    const found = await dataSource.query<object[]>('SELECT id FROM api_keys WHERE hash = sha256($1)', [
      Buffer.from(key),
    ]);
    expect(found).toHaveLength(1);
  });

  it('can be updated with PUT, which keeps the fields that are not sent', async () => {
    const [one, two] = [await createOrganization(), await createOrganization()];
    const { key, ...client } = await createClient({ organization_ids: [one.id] });
    const path = `/v1/clients/${client.id}`;
    const renamed = { ...client, name: 'Night desk' };
    expect(await asAdmin('PUT', path, { name: 'Night desk' })).toMatchObject({ status: 200, body: renamed });
    const moved = { ...renamed, organization_ids: [one.id, two.id] };
    expect(await asAdmin('PUT', path, { organization_ids: [two.id, one.id] })).toMatchObject({ body: moved });
    expect(await asAdmin('PUT', path, {})).toMatchObject({ status: 200, body: moved });
    expect(await asAdmin('PUT', path, { ...moved, key: undefined })).toMatchObject({ body: moved });
    const promoted = { ...moved, is_admin: true, organization_ids: [] };
    expect(await asAdmin('PUT', path, { is_admin: true, organization_ids: [] })).toMatchObject({
      body: promoted,
    });
    expect(await statusWith(key)).toBe(200);
    expect((await request('GET', '/v1/clients', undefined, keyHeader(key))).status).toBe(200);
  });

  it('gains and loses access to an organization as soon as its organization_ids change', async () => {
    const { id, slug } = await createOrganization();
    const client = await createClient();
    const add = (organization: number | string) =>
      request('POST', `/v1/organizations/${organization}/phones`, { digits: '211' }, keyHeader(client.key));
    expectProblem(await add(id), 403);
    await asAdmin('PUT', `/v1/clients/${client.id}`, { organization_ids: [id] });
    expect((await add(id)).status).toBe(201);
    expect((await add(slug)).status).toBe(201);
    await asAdmin('PUT', `/v1/clients/${client.id}`, { organization_ids: [] });
    expectProblem(await add(id), 403);
    expectProblem(await add(slug), 403);
  });

  it('no longer lists an organization that was deleted', async () => {
    const { id } = await createOrganization();
    const client = await createClient({ organization_ids: [id] });
    await asAdmin('DELETE', `/v1/organizations/${id}`);
    expect((await getClient(client.id)).organization_ids).toEqual([]);
  });

  it('is deleted together with all its keys', async () => {
    const client = await createClient();
    const second = await createSecondKey(client.id);
    expect([await statusWith(client.key), await statusWith(second.key)]).toEqual([200, 200]);
    await deleteClient(client.id);
    expect([await statusWith(client.key), await statusWith(second.key)]).toEqual([401, 401]);
    for (const method of ['GET', 'DELETE'] as const) {
      expectProblem(await asAdmin(method, `/v1/clients/${client.id}`), 404, 'There is no such client.');
    }
    expectProblem(await asAdmin('PUT', `/v1/clients/${client.id}`, {}), 404, 'There is no such client.');
    expectProblem(await asAdmin('POST', `/v1/clients/${client.id}/keys`), 404, 'There is no such client.');
  });

  it('is rejected with all field errors at once, and nothing is saved', async () => {
    const { id } = await createOrganization();
    const count = async () =>
      Number((await dataSource.query<{ count: string }[]>('SELECT count(*) FROM clients'))[0]?.count);
    const before = await count();
    expectFieldErrors(
      await asAdmin('POST', '/v1/clients', { is_admin: 'yes', organization_ids: [1, 1], owner_id: 1 }),
      { pointer: '/is_admin', detail: 'must be true or false' },
      { pointer: '/name', detail: 'is required' },
      { pointer: '/organization_ids', detail: 'must be a list of at most 1000 different IDs' },
      { pointer: '/owner_id', detail: 'is not a known field' },
    );
    const missing = { pointer: '/organization_ids/0', detail: 'is not the ID of an organization' };
    const invalidBody = { name: 'X', organization_ids: [2147483647, id, 2147483646] };
    const alsoMissing = { ...missing, pointer: '/organization_ids/2' };
    expectFieldErrors(await asAdmin('POST', '/v1/clients', invalidBody), missing, alsoMissing);
    expect(await count()).toBe(before);

    const client = await getClient((await createClient({ organization_ids: [id] })).id);
    expectFieldErrors(await asAdmin('PUT', `/v1/clients/${client.id}`, invalidBody), missing, alsoMissing);
    expect(await getClient(client.id)).toEqual(client);
  });

  it('is rejected with the first 20 of the organizations that do not exist', async () => {
    const organization_ids = Array.from({ length: 1000 }, (_, number) => 2_000_000_000 + number);
    const response = await asAdmin('POST', '/v1/clients', { name: 'X', organization_ids });
    expectProblem(response, 400, 'The body is invalid; see errors. Errors that are not listed: 980.');
    expect((response.body as { errors: object[] }).errors).toHaveLength(20);
  });

  it.each([null, 1, '1', {}, { 0: 1 }, [null], ['1'], [1.5], [0], [[1]], [{}], [2147483648]])(
    'is rejected with 400 when organization_ids is %j',
    async (organization_ids) => {
      const { id } = await createClient();
      const error = { pointer: '/organization_ids' };
      expectFieldErrors(await asAdmin('POST', '/v1/clients', { name: 'X', organization_ids }), error);
      expectFieldErrors(await asAdmin('PUT', `/v1/clients/${id}`, { organization_ids }), error);
    },
  );
});

describe('A second key', () => {
  it('is valid next to the first one, until the first one is deleted', async () => {
    const client = await createClient();
    const { key, ...second } = await createSecondKey(client.id);
    expect(second).toMatchObject({ prefix: key.slice(0, 15), last_used_at: null, expires_at: null });
    expect((await getClient(client.id)).keys).toEqual([...client.keys, second]);
    expect([await statusWith(client.key), await statusWith(key)]).toEqual([200, 200]);
    const path = `/v1/clients/${client.id}/keys/${client.keys[0]?.id}`;
    expect(await asAdmin('DELETE', path)).toMatchObject({ status: 204, body: '' });
    expect([await statusWith(client.key), await statusWith(key)]).toEqual([401, 200]);
    expectProblem(await asAdmin('DELETE', path), 404, 'There is no such key.');
  });

  it('is created by only one of several concurrent requests, and the others return 409', async () => {
    const { id } = await createClient();
    // This opens all connections of the pool, so that the requests below run concurrently.
    await Promise.all(Array.from({ length: 20 }, () => getClient(id)));
    const responses = await Promise.all(
      Array.from({ length: 8 }, () => asAdmin('POST', `/v1/clients/${id}/keys`, {})),
    );
    expect(responses.filter(({ status }) => status === 201)).toHaveLength(1);
    for (const response of responses.filter(({ status }) => status !== 201)) {
      expectProblem(response, 409, 'The client already has two keys; delete one of them first.');
    }
    expect((await getClient(id)).keys).toHaveLength(2);
  });

  it('can set an expiry time for the first one, after which another key can be created', async () => {
    const client = await createClient();
    const expires_at = inAnHour();
    await createSecondKey(client.id, { expires_at });
    expect((await getClient(client.id)).keys).toMatchObject([{ expires_at }, { expires_at: null }]);
    expect(await statusWith(client.key)).toBe(200);

    await dataSource.query(`UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE id = $1`, [
      client.keys[0]?.id,
    ]);
    await lastAcceptedAt(client.key);
    await createSecondKey(client.id);
    expect((await getClient(client.id)).keys).toHaveLength(2);
  });

  it('cannot postpone the expiry of the first one', async () => {
    const client = await createClient();
    const soon = inAnHour();
    const { id } = await createSecondKey(client.id, { expires_at: soon });
    await asAdmin('DELETE', `/v1/clients/${client.id}/keys/${id}`);
    await createSecondKey(client.id, { expires_at: '2099-01-01T00:00:00Z' });
    expect((await getClient(client.id)).keys).toMatchObject([{ expires_at: soon }, { expires_at: null }]);
  });

  it('makes the first one expire on time, even if it was just used and is cached', async () => {
    const client = await createClient();
    const expiry = Date.now() + 3000;
    await createSecondKey(client.id, { expires_at: new Date(expiry).toISOString() });
    expect(await statusWith(client.key)).toBe(200);
    expect(await lastAcceptedAt(client.key)).toBeLessThan(expiry + CLOCK_TOLERANCE);
    expect(Date.now()).toBeGreaterThan(expiry - CLOCK_TOLERANCE);
  });

  it.each([
    ['2099-12-31t23:59:59z', '2099-12-31T23:59:59.000Z'],
    ['2099-12-31T00:00:00-16:00', '2099-12-31T16:00:00.000Z'],
    ['2099-12-31T00:00:00+23:59', '2099-12-30T00:01:00.000Z'],
    ['2096-02-29T00:00:00-00:00', '2096-02-29T00:00:00.000Z'],
    [`2099-12-31T00:00:00.${'9'.repeat(140)}Z`, '2099-12-31T00:00:00.999Z'],
    ['9999-12-31T23:59:59.9Z', '9999-12-31T23:59:59.900Z'],
  ])('can set the expiry time %s', async (expires_at, inUtc) => {
    const { id } = await createClient();
    await createSecondKey(id, { expires_at });
    expect((await getClient(id)).keys).toMatchObject([{ expires_at: inUtc }, { expires_at: null }]);
  });

  it.each([
    '2020-01-01T00:00:00Z',
    '2099-02-30T00:00:00Z',
    '2099-02-29T00:00:00Z',
    '2099-13-01T00:00:00Z',
    '2099-12-31T24:00:00Z',
    '2099-12-31T23:59:60Z',
    '2099-12-31 00:00:00Z',
    '2099-12-31T00:00:00.Z',
    '2099-12-31T00:00:00+24:00',
    '2099-12-31T00:00:00+0100',
    '+12099-12-31T00:00:00Z',
    ' 2099-12-31T00:00:00Z',
    '9999-12-31T23:59:59-23:59',
    '2099-01-01',
    '2099-01-01T00:00:00',
    'soon',
    4102444800,
    null,
    '',
    {},
  ])('is rejected with 400 when expires_at is %j', async (expires_at) => {
    const { id, keys } = await createClient();
    expectFieldErrors(await asAdmin('POST', `/v1/clients/${id}/keys`, { expires_at }), {
      pointer: '/expires_at',
      detail: 'must be a future date and time with an offset from UTC, such as 2099-12-31T00:00:00Z',
    });
    expect((await getClient(id)).keys).toEqual(keys);
  });

  it('cannot be deleted under the path of another client', async () => {
    const [client, other] = [await createClient(), await createClient()];
    expectProblem(await asAdmin('DELETE', `/v1/clients/${other.id}/keys/${client.keys[0]?.id}`), 404);
    expect(await statusWith(client.key)).toBe(200);
  });
});

describe('An admin client', () => {
  it('gets 403 when it deletes itself, its only key or its own admin permission', async () => {
    const client = await createClient({ is_admin: true });
    const path = `/v1/clients/${client.id}`;
    const headers = keyHeader(client.key);
    for (const response of [
      await request('DELETE', path, undefined, headers),
      await request('PUT', path, { name: 'Changed', is_admin: false }, headers),
      await request('DELETE', `${path}/keys/${client.keys[0]?.id}`, undefined, headers),
    ]) {
      expectProblem(response, 403, expect.stringContaining('cannot'));
    }
    expect(await getClient(client.id)).toMatchObject({ name: client.name, is_admin: true });
    expect(await request('PUT', path, { is_admin: true }, headers)).toMatchObject({ status: 200 });

    // A client can replace its own key, and another admin can delete the client.
    const second = await createSecondKey(client.id);
    expect(
      await request('DELETE', `${path}/keys/${client.keys[0]?.id}`, undefined, keyHeader(second.key)),
    ).toMatchObject({ status: 204 });
    await deleteClient(client.id);
    expect(await statusWith(second.key)).toBe(401);
  });

  it('gets 403 when it deletes its only key that does not expire', async () => {
    const client = await createClient({ is_admin: true });
    const second = await createSecondKey(client.id, { expires_at: inAnHour() });
    const response = await request(
      'DELETE',
      `/v1/clients/${client.id}/keys/${second.id}`,
      undefined,
      keyHeader(client.key),
    );
    expectProblem(response, 403, 'A client cannot revoke its own last key; another admin can.');
    expect(await statusWith(second.key)).toBe(200);
  });

  it('and another one cannot both delete each other, and neither can two keys of one client', async () => {
    for (let round = 0; round < 5; round++) {
      const [one, two] = [await createClient({ is_admin: true }), await createClient({ is_admin: true })];
      const second = await createSecondKey(one.id);
      const path = `/v1/clients/${one.id}/keys`;
      const keyResponses = await Promise.all([
        request('DELETE', `${path}/${second.id}`, undefined, keyHeader(one.key)),
        request('DELETE', `${path}/${one.keys[0]?.id}`, undefined, keyHeader(second.key)),
      ]);
      expect(keyResponses.map(({ status }) => status).sort()).toEqual([204, 401]);
      const remainingKey = keyResponses[0].status === 204 ? one.key : second.key;
      const clientResponses = await Promise.all([
        request('DELETE', `/v1/clients/${two.id}`, undefined, keyHeader(remainingKey)),
        request('DELETE', `/v1/clients/${one.id}`, undefined, keyHeader(two.key)),
      ]);
      expect(clientResponses.map(({ status }) => status).sort()).toEqual([204, 401]);
    }
  });

  it('gets 401 once it is deleted and 403 once it is no longer an admin, even while it is cached', async () => {
    const [revoked, demoted] = [
      await createClient({ is_admin: true }),
      await createClient({ is_admin: true }),
    ];
    expect([await statusWith(revoked.key), await statusWith(demoted.key)]).toEqual([200, 200]);
    await dataSource.query('DELETE FROM clients WHERE id = $1', [revoked.id]);
    await dataSource.query('UPDATE clients SET is_admin = false WHERE id = $1', [demoted.id]);
    const body = { name: 'Back door', is_admin: true };
    const response = await request('POST', '/v1/clients', body, keyHeader(revoked.key));
    expectProblem(response, 401, 'The API key has just expired or been revoked.');
    expect(response.headers['www-authenticate']).toBe('Bearer realm="phones", error="invalid_token"');
    expectProblem(
      await request('POST', '/v1/clients', body, keyHeader(demoted.key)),
      403,
      'The client of this API key is no longer an admin.',
    );
    expect((await asAdmin<Client[]>('GET', '/v1/clients?per_page=100')).body).not.toContainEqual(
      expect.objectContaining({ name: 'Back door' }),
    );
  });

  it('is not required, because ADMIN_API_KEY works without any client', async () => {
    for (const { id } of (await asAdmin<Client[]>('GET', '/v1/clients?per_page=100')).body)
      await deleteClient(id);
    expect(await asAdmin('GET', '/v1/clients')).toMatchObject({ status: 200, body: [] });
  });
});

describe('A valid key', () => {
  it('has the current hour as its last_used_at after it was used', async () => {
    const client = await createClient();
    const hour = () => Math.floor(Date.now() / 3_600_000) * 3_600_000;
    const before = hour();
    await statusWith(client.key);
    const [key] = (await getClient(client.id)).keys;
    expect([before, hour()]).toContain(Date.parse(key?.last_used_at ?? ''));
  });

  it('is looked up in the database once and then cached', async () => {
    const { key } = await createClient();
    const query = vi.spyOn(app.get(Pool), 'query');
    const lookups = () =>
      query.mock.calls.filter(([statement]) => (statement as { name?: string }).name === 'find client')
        .length;
    for (let count = 0; count < 20; count++) await statusWith(key);
    expect(lookups()).toBe(1);
    for (let count = 0; count < 20; count++) await statusWith(key.slice(0, -1));
    expect(lookups()).toBe(1);
    query.mockRestore();
  });

  it('is not cached by a lookup that was in progress when its client was deleted', async () => {
    const { id, key } = await createClient();
    const pool = app.get(Pool);
    const query = pool.query.bind(pool) as (statement: unknown) => Promise<unknown>;
    // `query` is typed as its overload with a callback, but the service awaits the promise.
    const queryThenDelete: unknown = async (statement: unknown) => {
      const result = await query(statement);
      await deleteClient(id);
      return result;
    };
    const spy = vi.spyOn(pool, 'query').mockImplementationOnce(queryThenDelete as () => void);
    expect(await statusWith(key)).toBe(200);
    expect(await statusWith(key)).toBe(401);
    spy.mockRestore();
  });

  it('is accepted even if last_used_at cannot be written, as on a standby', async () => {
    const { id, key } = await createClient();
    await dataSource.query(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE read_only_sql_transaction; END $$`);
    await dataSource.query('CREATE TRIGGER refuse BEFORE UPDATE ON api_keys EXECUTE FUNCTION refuse()');
    expect(await statusWith(key)).toBe(200);
    await dataSource.query('DROP FUNCTION refuse CASCADE');
    expect((await getClient(id)).keys[0]?.last_used_at).toBeNull();
  });

  it('becomes invalid within five seconds after its client was deleted by another process', async () => {
    const client = await createClient();
    expect(await statusWith(client.key)).toBe(200);
    await dataSource.query('DELETE FROM clients WHERE id = $1', [client.id]);
    const deletedAt = Date.now();
    expect(await lastAcceptedAt(client.key)).toBeLessThan(deletedAt + 5000);
  });

  it('can change and delete phones of its organization', async () => {
    const organization = await createOrganization();
    const { key } = await createClient({ organization_ids: [organization.id] });
    const phone = await createPhone(`/v1/organizations/${organization.id}`);
    const path = `/v1/organizations/${organization.slug}/phones/${phone.id}`;
    expect(await request('PUT', path, { digits: '711' }, keyHeader(key))).toMatchObject({ status: 200 });
    expect(await request('DELETE', path, undefined, keyHeader(key))).toMatchObject({ status: 204 });
  });
});

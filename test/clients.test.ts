import { Pool } from 'pg';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import dataSource from '../ormconfig.js';
import { app, AS_ADMIN, expectFieldErrors, expectProblem, request, restart } from './support/api.js';
import { type ApiKey, type Client, createClient, deleteClient, getClient } from './support/clients.js';
import { keyHeader } from './support/database.js';
import { createOrganization, createPhone } from './support/owners.js';

const IN_AN_HOUR = () => new Date(Date.now() + 3_600_000).toISOString();

beforeAll(() => restart({ REQUIRE_API_KEY: 'always' }));

const asAdmin = <Body = unknown>(method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, body?: unknown) =>
  request<Body>(method, url, body, AS_ADMIN);

/** Whether a key is good: the status of a read with it. */
async function statusWith(key: string): Promise<number> {
  return (await request('GET', '/v1/organizations', undefined, keyHeader(key))).status;
}

async function secondKey(id: number, body?: object): Promise<ApiKey & { key: string }> {
  const answer = await asAdmin<ApiKey & { key: string }>('POST', `/v1/clients/${id}/keys`, body);
  expect(answer.status).toBe(201);
  return answer.body;
}

describe('a client', () => {
  it('is created with a key, which is shown this once', async () => {
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

  it('is on one page of the list, whatever it may manage and however many keys it has', async () => {
    const organization_ids = [await createOrganization(), await createOrganization()].map(({ id }) => id);
    for (let count = 0; count < 5; count++) await secondKey((await createClient({ organization_ids })).id);
    const all = (await asAdmin<Client[]>('GET', '/v1/clients?per_page=100')).body;
    const walked: Client[] = [];
    for (let page = 1; page <= Math.ceil(all.length / 2); page++) {
      walked.push(...(await asAdmin<Client[]>('GET', `/v1/clients?per_page=2&page=${page}`)).body);
    }
    expect(walked).toEqual(all);
    expect(all.at(-1)).toMatchObject({ organization_ids, keys: [{}, {}] });
  });

  it('has its key in the database as a hash alone', async () => {
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

  it('changes its name, its right and its organizations, and keeps what is not named', async () => {
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

  it('has what it may manage at once, and no longer what was taken from it', async () => {
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

  it('loses an organization that is deleted', async () => {
    const { id } = await createOrganization();
    const client = await createClient({ organization_ids: [id] });
    await asAdmin('DELETE', `/v1/organizations/${id}`);
    expect((await getClient(client.id)).organization_ids).toEqual([]);
  });

  it('that is deleted is gone with all its keys', async () => {
    const client = await createClient();
    const second = await secondKey(client.id);
    expect([await statusWith(client.key), await statusWith(second.key)]).toEqual([200, 200]);
    await deleteClient(client.id);
    expect([await statusWith(client.key), await statusWith(second.key)]).toEqual([401, 401]);
    for (const method of ['GET', 'DELETE'] as const) {
      expectProblem(await asAdmin(method, `/v1/clients/${client.id}`), 404, 'There is no such client.');
    }
    expectProblem(await asAdmin('PUT', `/v1/clients/${client.id}`, {}), 404, 'There is no such client.');
    expectProblem(await asAdmin('POST', `/v1/clients/${client.id}/keys`), 404, 'There is no such client.');
  });

  it.each(['0', 'abc', '-1', '2147483648', '%00'])('is unknown under %s', async (id) => {
    expectProblem(await asAdmin('GET', `/v1/clients/${id}`), 404, 'There is no such client.');
    expectProblem(await asAdmin('POST', `/v1/clients/${id}/keys`), 404);
  });

  it('is refused with all that is wrong at once, and nothing is left of it', async () => {
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
    const faulty = { name: 'X', organization_ids: [2147483647, id, 2147483646] };
    const alsoMissing = { ...missing, pointer: '/organization_ids/2' };
    expectFieldErrors(await asAdmin('POST', '/v1/clients', faulty), missing, alsoMissing);
    expect(await count()).toBe(before);

    const client = await getClient((await createClient({ organization_ids: [id] })).id);
    expectFieldErrors(await asAdmin('PUT', `/v1/clients/${client.id}`, faulty), missing, alsoMissing);
    expect(await getClient(client.id)).toEqual(client);
  });

  it.each([null, 1, '1', {}, { 0: 1 }, [null], ['1'], [1.5], [0], [[1]], [{}], [2147483648]])(
    'may not manage %j',
    async (organization_ids) => {
      const { id } = await createClient();
      const fault = { pointer: '/organization_ids' };
      expectFieldErrors(await asAdmin('POST', '/v1/clients', { name: 'X', organization_ids }), fault);
      expectFieldErrors(await asAdmin('PUT', `/v1/clients/${id}`, { organization_ids }), fault);
    },
  );
});

describe('a second key', () => {
  it('replaces the first without an outage', async () => {
    const client = await createClient();
    const { key, ...second } = await secondKey(client.id);
    expect(second).toMatchObject({ prefix: key.slice(0, 15), last_used_at: null, expires_at: null });
    expect((await getClient(client.id)).keys).toEqual([...client.keys, second]);
    expect([await statusWith(client.key), await statusWith(key)]).toEqual([200, 200]);
    const path = `/v1/clients/${client.id}/keys/${client.keys[0]?.id}`;
    expect(await asAdmin('DELETE', path)).toMatchObject({ status: 204, body: '' });
    expect([await statusWith(client.key), await statusWith(key)]).toEqual([401, 200]);
    expectProblem(await asAdmin('DELETE', path), 404, 'There is no such key.');
  });

  it('is the last: a third is refused, also of many at once', async () => {
    const { id } = await createClient();
    // So that every connection is open, and the requests do meet.
    await Promise.all(Array.from({ length: 20 }, () => getClient(id)));
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => asAdmin('POST', `/v1/clients/${id}/keys`, {})),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    for (const answer of answers.filter(({ status }) => status !== 201)) {
      expectProblem(answer, 409, 'The client has two keys already; delete one of them first.');
    }
    expect((await getClient(id)).keys).toHaveLength(2);
  });

  it('can end the first at a time to come, after which that is no longer in the way', async () => {
    const client = await createClient();
    const expires_at = IN_AN_HOUR();
    await secondKey(client.id, { expires_at });
    expect((await getClient(client.id)).keys).toMatchObject([{ expires_at }, { expires_at: null }]);
    expect(await statusWith(client.key)).toBe(200);

    await dataSource.query(`UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE id = $1`, [
      client.keys[0]?.id,
    ]);
    await vi.waitFor(async () => {
      expect(await statusWith(client.key)).toBe(401);
    }, 5000);
    await secondKey(client.id);
    expect((await getClient(client.id)).keys).toHaveLength(2);
  });

  it('does not let the first last longer than it would have', async () => {
    const client = await createClient();
    const soon = IN_AN_HOUR();
    const { id } = await secondKey(client.id, { expires_at: soon });
    await asAdmin('DELETE', `/v1/clients/${client.id}/keys/${id}`);
    await secondKey(client.id, { expires_at: '2099-01-01T00:00:00Z' });
    expect((await getClient(client.id)).keys).toMatchObject([{ expires_at: soon }, { expires_at: null }]);
  });

  it('ends the first on time, also where that was just used', async () => {
    const client = await createClient();
    const end = Date.now() + 500;
    await secondKey(client.id, { expires_at: new Date(end).toISOString() });
    expect(await statusWith(client.key)).toBe(200);
    await vi.waitFor(
      async () => {
        expect(await statusWith(client.key)).toBe(401);
      },
      { timeout: 5000, interval: 20 },
    );
    expect(Date.now()).toBeGreaterThanOrEqual(end - 100);
    expect(Date.now()).toBeLessThan(end + 1000);
  });

  it.each([
    '2020-01-01T00:00:00Z',
    '2099-02-30T00:00:00Z',
    '9999-12-31T23:59:59-23:59',
    '2099-01-01',
    '2099-01-01T00:00:00',
    'soon',
    4102444800,
    null,
    '',
    {},
  ])('cannot end the first at %j', async (expires_at) => {
    const { id, keys } = await createClient();
    expectFieldErrors(await asAdmin('POST', `/v1/clients/${id}/keys`, { expires_at }), {
      pointer: '/expires_at',
      detail: 'must be a date and time to come, such as 2099-12-31T00:00:00Z',
    });
    expect((await getClient(id)).keys).toEqual(keys);
  });

  it('of a client is not found under another one', async () => {
    const [client, other] = [await createClient(), await createClient()];
    expectProblem(await asAdmin('DELETE', `/v1/clients/${other.id}/keys/${client.keys[0]?.id}`), 404);
    expect(await statusWith(client.key)).toBe(200);
  });
});

describe('the last way in', () => {
  it('is not removed by a client that revokes itself, its right or its key', async () => {
    const client = await createClient({ is_admin: true });
    const path = `/v1/clients/${client.id}`;
    const headers = keyHeader(client.key);
    for (const answer of [
      await request('DELETE', path, undefined, headers),
      await request('PUT', path, { name: 'Changed', is_admin: false }, headers),
      await request('DELETE', `${path}/keys/${client.keys[0]?.id}`, undefined, headers),
    ]) {
      expectProblem(answer, 403, expect.stringContaining('cannot'));
    }
    expect(await getClient(client.id)).toMatchObject({ name: client.name, is_admin: true });
    expect(await request('PUT', path, { is_admin: true }, headers)).toMatchObject({ status: 200 });

    // It can replace its own key, and another admin can revoke it.
    const second = await secondKey(client.id);
    expect(
      await request('DELETE', `${path}/keys/${client.keys[0]?.id}`, undefined, keyHeader(second.key)),
    ).toMatchObject({ status: 204 });
    await deleteClient(client.id);
    expect(await statusWith(second.key)).toBe(401);
  });

  it('is not removed by a client that ends the one of its keys that lasts', async () => {
    const client = await createClient({ is_admin: true });
    const second = await secondKey(client.id, { expires_at: IN_AN_HOUR() });
    const answer = await request(
      'DELETE',
      `/v1/clients/${client.id}/keys/${second.id}`,
      undefined,
      keyHeader(client.key),
    );
    expectProblem(answer, 403, 'A client cannot end its last key; another admin can.');
    expect(await statusWith(second.key)).toBe(200);
  });

  it('is not removed by two keys that end each other at once, or two admins who revoke each other', async () => {
    for (let round = 0; round < 5; round++) {
      const [one, two] = [await createClient({ is_admin: true }), await createClient({ is_admin: true })];
      const second = await secondKey(one.id);
      const path = `/v1/clients/${one.id}/keys`;
      const keys = await Promise.all([
        request('DELETE', `${path}/${second.id}`, undefined, keyHeader(one.key)),
        request('DELETE', `${path}/${one.keys[0]?.id}`, undefined, keyHeader(second.key)),
      ]);
      expect(keys.map(({ status }) => status).sort()).toEqual([204, 401]);
      const left = keys[0].status === 204 ? one.key : second.key;
      const clients = await Promise.all([
        request('DELETE', `/v1/clients/${two.id}`, undefined, keyHeader(left)),
        request('DELETE', `/v1/clients/${one.id}`, undefined, keyHeader(two.key)),
      ]);
      expect(clients.map(({ status }) => status).sort()).toEqual([204, 401]);
    }
  });

  it('is not made by an admin who has just been revoked elsewhere, or is one no more', async () => {
    const [revoked, demoted] = [
      await createClient({ is_admin: true }),
      await createClient({ is_admin: true }),
    ];
    expect([await statusWith(revoked.key), await statusWith(demoted.key)]).toEqual([200, 200]);
    await dataSource.query('DELETE FROM clients WHERE id = $1', [revoked.id]);
    await dataSource.query('UPDATE clients SET is_admin = false WHERE id = $1', [demoted.id]);
    const body = { name: 'Back door', is_admin: true };
    const answer = await request('POST', '/v1/clients', body, keyHeader(revoked.key));
    expectProblem(answer, 401, 'The API key has just ended.');
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="phones", error="invalid_token"');
    expectProblem(
      await request('POST', '/v1/clients', body, keyHeader(demoted.key)),
      403,
      'The client of this key is no admin any more.',
    );
    expect((await asAdmin<Client[]>('GET', '/v1/clients?per_page=100')).body).not.toContainEqual(
      expect.objectContaining({ name: 'Back door' }),
    );
  });

  it('is ADMIN_API_KEY, which is in no table', async () => {
    for (const { id } of (await asAdmin<Client[]>('GET', '/v1/clients?per_page=100')).body)
      await deleteClient(id);
    expect(await asAdmin('GET', '/v1/clients')).toMatchObject({ status: 200, body: [] });
  });
});

describe('a key that is used', () => {
  it('shows the hour in which it last was', async () => {
    const client = await createClient();
    const hour = () => Math.floor(Date.now() / 3_600_000) * 3_600_000;
    const before = hour();
    await statusWith(client.key);
    const [key] = (await getClient(client.id)).keys;
    expect([before, hour()]).toContain(Date.parse(key?.last_used_at ?? ''));
  });

  it('is looked up once, and then known without the database', async () => {
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

  it('is not known any longer by a look-up that was under way when it ended', async () => {
    const { id, key } = await createClient();
    const pool = app.get(Pool);
    const query = pool.query.bind(pool) as (statement: unknown) => Promise<unknown>;
    // The promise is what the caller awaits; the type of the mock is that of the variant with a callback.
    const lookUp: unknown = async (statement: unknown) => {
      const found = await query(statement);
      await deleteClient(id);
      return found;
    };
    const spy = vi.spyOn(pool, 'query').mockImplementationOnce(lookUp as () => void);
    expect(await statusWith(key)).toBe(200);
    expect(await statusWith(key)).toBe(401);
    spy.mockRestore();
  });

  it('is good where its use cannot be noted, as on a standby', async () => {
    const { id, key } = await createClient();
    await dataSource.query(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE read_only_sql_transaction; END $$`);
    await dataSource.query('CREATE TRIGGER refuse BEFORE UPDATE ON api_keys EXECUTE FUNCTION refuse()');
    expect(await statusWith(key)).toBe(200);
    await dataSource.query('DROP FUNCTION refuse CASCADE');
    expect((await getClient(id)).keys[0]?.last_used_at).toBeNull();
  });

  it('ends with what was changed about it elsewhere within five seconds', async () => {
    const client = await createClient();
    expect(await statusWith(client.key)).toBe(200);
    await dataSource.query('DELETE FROM clients WHERE id = $1', [client.id]);
    await vi.waitFor(
      async () => {
        expect(await statusWith(client.key)).toBe(401);
      },
      { timeout: 5000 },
    );
  });

  it('serves reads and writes of phones as before', async () => {
    const organization = await createOrganization();
    const { key } = await createClient({ organization_ids: [organization.id] });
    const phone = await createPhone(`/v1/organizations/${organization.id}`);
    const path = `/v1/organizations/${organization.slug}/phones/${phone.id}`;
    expect(await request('PUT', path, { digits: '711' }, keyHeader(key))).toMatchObject({ status: 200 });
    expect(await request('DELETE', path, undefined, keyHeader(key))).toMatchObject({ status: 204 });
  });
});

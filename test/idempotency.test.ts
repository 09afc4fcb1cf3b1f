import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { describe, expect, it } from 'vitest';
import { app, type ApiResponse, AS_ADMIN, expectProblem, request, restart } from './support/api.js';
import { createClient } from './support/clients.js';
import { keyHeader, SERVER } from './support/database.js';
import { createOwner, listPhones, OWNER_CASES, type Phone } from './support/owners.js';

const PHONE = { digits: '650-555-0101', phone_type: 'Intake' };

function post<Body = Phone>(
  url: string,
  body: object,
  key: string,
  headers = {},
): Promise<ApiResponse<Body>> {
  return request('POST', url, body, { 'idempotency-key': key, ...headers });
}

const countRecords = async (): Promise<number> => {
  const { rows } = await app
    .get(Pool)
    .query<{ count: number }>('SELECT count(*)::integer AS count FROM idempotency_keys');
  return rows[0]?.count ?? 0;
};

describe.each(OWNER_CASES)('POST /phones of %s with an Idempotency-Key', (_, type) => {
  it('returns the first response when it is retried, and creates nothing', async () => {
    const url = `${await createOwner(type)}/phones`;
    const key = `"${randomUUID()}"`;
    const first = await post(url, PHONE, key);
    expect(first.status).toBe(201);
    await request('PUT', `${url}/${first.body.id}`, { digits: '311' });
    const again = await post(url, PHONE, key);
    const { status, body, headers } = again;
    expect({ status, body }).toEqual({ status: first.status, body: first.body });
    expect(headers).toMatchObject({ location: first.headers.location, etag: first.headers.etag });
    expect(await listPhones(url.replace('/phones', ''))).toEqual([{ ...first.body, digits: '311' }]);
  });

  it('creates one phone when retries overlap with the first request', async () => {
    const owner = await createOwner(type);
    const key = randomUUID();
    const responses = await Promise.all(
      Array.from({ length: 10 }, () => post(`${owner}/phones`, PHONE, key)),
    );
    const [phone] = await listPhones(owner);
    for (const response of responses) {
      if (response.status === 201) {
        expect(response.body).toEqual(phone);
      } else {
        expectProblem(response, 409, 'The first request with this Idempotency-Key is still in progress.');
        expect(response.headers['retry-after']).toBe('1');
      }
    }
    expect(responses.some(({ status }) => status === 201)).toBe(true);
    expect(await listPhones(owner)).toHaveLength(1);
    expect((await post(`${owner}/phones`, PHONE, key)).body).toEqual(phone);
  });

  it('leaves one primary phone when concurrent requests have different keys', async () => {
    const owner = await createOwner(type);
    const responses = await Promise.all(
      Array.from({ length: 20 }, () => post(`${owner}/phones`, { ...PHONE, is_primary: true }, randomUUID())),
    );
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([201]));
    expect((await listPhones(owner)).filter(({ is_primary }) => is_primary)).toHaveLength(1);
  });
});

describe('Reusing an Idempotency-Key', () => {
  it.each([
    ['a different body', (url: string) => [url, { ...PHONE, digits: '311' }] as const],
    ['a different path', (url: string) => [url.replace(/locations.*/, 'phones'), PHONE] as const],
  ])('with %s returns 409', async (_, change) => {
    const owner = await createOwner('location');
    const key = randomUUID();
    await post(`${owner}/phones`, PHONE, key);
    const [url, body] = change(`${owner}/phones`);
    expectProblem(
      await post(url, body, key),
      409,
      expect.stringContaining('was used for a different request'),
    );
    expect(await listPhones(url.replace('/phones', ''))).toHaveLength(url.includes('locations') ? 1 : 0);
  });

  it('returns the first response when only the API key is sent in another way', async () => {
    const owner = await createOwner('location');
    const key = randomUUID();
    const first = await post(`${owner}/phones`, PHONE, key, AS_ADMIN);
    const again = await post(
      `${owner}/phones?api_key=${AS_ADMIN.authorization?.replace('Bearer ', '')}`,
      PHONE,
      key,
    );
    expect(again).toMatchObject({ status: 201, body: first.body });
    expect(again.headers.location).toBe(first.headers.location);
  });
});

describe('POST with an Idempotency-Key', () => {
  it.each([
    ['an organization', () => Promise.resolve('/v1/organizations'), { name: 'Harbor' }],
    ['an opportunity', async () => `${await createOwner('organization')}/opportunities`, { title: 'Lunch' }],
    ['a location', async () => `${await createOwner('organization')}/locations`, { name: 'Harbor' }],
  ])('creates %s only once', async (_, urlOf, body) => {
    const url = await urlOf();
    const key = randomUUID();
    const count = async () => (await request<[]>('GET', `${url}?per_page=100`)).body.length;
    const first = await post(url, body, key);
    const before = await count();
    const again = await post(url, body, key);
    expect(again).toMatchObject({ status: 201, body: first.body });
    expect(again.headers.location).toBe(first.headers.location);
    expect(await count()).toBe(before);
    // The slug is already taken, which must not abort the transaction.
    expect((await post(url, body, randomUUID())).status).toBe(201);
  });
});

describe('A POST that fails', () => {
  it.each([
    [404, '/v1/organizations/2000000000/phones', PHONE],
    [400, '/v1/organizations/1/phones', { digits: 'none' }],
  ])('with %i saves no idempotency record', async (status, url, body) => {
    const before = await countRecords();
    const key = randomUUID();
    expectProblem(await post(url, body, key), status);
    expect(await countRecords()).toBe(before);
    const owner = await createOwner('organization');
    expect((await post(`${owner}/phones`, PHONE, key)).status).toBe(201);
  });
});

describe('An Idempotency-Key', () => {
  it('is the same with and without quotes', async () => {
    const url = `${await createOwner('organization')}/phones`;
    const key = randomUUID();
    const first = await post(url, PHONE, key);
    expect((await post(url, PHONE, `"${key}"`)).body).toEqual(first.body);
  });

  it('may contain a space when it is quoted', async () => {
    const url = `${await createOwner('organization')}/phones`;
    const first = await post(url, PHONE, '"two words"');
    expect((await post(url, PHONE, '"two words"')).body).toEqual(first.body);
  });

  it.each(['', 'two words', '"a", "b"', 'a,b', '"', 'é', 'x'.repeat(256), '""'])(
    'is rejected with 400 when it is %j',
    async (key) => {
      const owner = await createOwner('organization');
      const response = await post(`${owner}/phones`, PHONE, key);
      expectProblem(response, 400, expect.stringMatching(/^The Idempotency-Key must be 1 to 255 /));
      expect(await listPhones(owner)).toEqual([]);
    },
  );

  it('is separate for each client', async () => {
    const clients = [await createClient({ is_admin: true }), await createClient({ is_admin: true })];
    const owner = await createOwner('organization');
    const key = randomUUID();
    const headers = [{}, AS_ADMIN, ...clients.map((client) => keyHeader(client.key))];
    for (const header of headers) {
      expect((await post(`${owner}/phones`, PHONE, key, header)).status).toBe(201);
      expect((await post(`${owner}/phones`, PHONE, key, header)).status).toBe(201);
    }
    expect(await listPhones(owner)).toHaveLength(4);
  });

  it('is shared by all API keys of a client', async () => {
    const client = await createClient({ is_admin: true });
    const second = await request<{ key: string }>('POST', `/v1/clients/${client.id}/keys`, {}, AS_ADMIN);
    const owner = await createOwner('organization');
    const key = randomUUID();
    for (const apiKey of [client.key, second.body.key])
      await post(`${owner}/phones`, PHONE, key, keyHeader(apiKey));
    expect(await listPhones(owner)).toHaveLength(1);
  });

  it('does not replace the API key: a retry without one returns 401', async () => {
    const owner = await createOwner('organization');
    const key = randomUUID();
    await post(`${owner}/phones`, PHONE, key, AS_ADMIN);
    await restart({ REQUIRE_API_KEY: 'writes' });
    expectProblem(await post(`${owner}/phones`, PHONE, key), 401);
    await restart({});
  });

  it('expires after 24 hours, and later requests delete its record', async () => {
    const owner = await createOwner('organization');
    const key = randomUUID();
    const pool = app.get(Pool);
    await post(`${owner}/phones`, PHONE, key);
    await pool.query(`UPDATE idempotency_keys SET created_at = now() - interval '23 hours 59 minutes'`);
    await post(`${owner}/phones`, PHONE, key);
    expect(await listPhones(owner)).toHaveLength(1);

    await pool.query(`UPDATE idempotency_keys SET created_at = now() - interval '24 hours'`);
    await post(`${owner}/phones`, PHONE, key);
    expect(await listPhones(owner)).toHaveLength(2);
    const old = await countRecords();
    expect(old).toBeGreaterThan(1);
    for (let left = old; left > 0; left -= 9) await post(`${owner}/phones`, PHONE, randomUUID());
    const { rows } = await pool.query(
      `SELECT FROM idempotency_keys WHERE created_at <= now() - interval '24 hours'`,
    );
    expect(rows).toEqual([]);
  });

  it('may be sent with a deeply nested body, which returns 400', async () => {
    const owner = await createOwner('organization');
    const nested = `{"digits": ${'['.repeat(30_000)}${']'.repeat(30_000)}}`;
    const response = await request('POST', `${owner}/phones`, nested, { 'idempotency-key': randomUUID() });
    expectProblem(response, 400, expect.stringContaining('The body is invalid'));
  });

  it('is rejected with 400 by POST /clients, whose response contains a secret', async () => {
    const response = await post('/v1/clients', { name: 'Desk' }, randomUUID(), AS_ADMIN);
    expectProblem(response, 400, expect.stringContaining('Idempotency-Key is not supported here'));
  });

  it('is ignored by GET and PUT, which are idempotent anyway', async () => {
    const owner = await createOwner('organization');
    const headers = { 'idempotency-key': '1' };
    expect((await request('GET', `${owner}/phones`, undefined, headers)).status).toBe(200);
    expect((await request('PUT', owner, { name: 'Another' }, headers)).status).toBe(200);
  });
});

describe(
  'While the first request with an Idempotency-Key is in progress',
  { skip: SERVER === undefined },
  () => {
    it('a second one returns 409 with Retry-After, and afterwards the first response', async () => {
      const owner = await createOwner('organization');
      const id = Number(owner.split('/').at(-1));
      const key = randomUUID();
      const blocker = await app.get(Pool).connect();
      await blocker.query('BEGIN');
      await blocker.query('SELECT FROM organizations WHERE id = $1 FOR UPDATE', [id]);
      const first = post(`${owner}/phones`, PHONE, key);
      // The first request locks its key before it waits for the owner.
      const waiting = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`;
      while ((await app.get(Pool).query(waiting)).rowCount === 0);
      const second = await post(`${owner}/phones`, PHONE, key);
      expectProblem(second, 409, expect.stringContaining('still in progress'));
      expect(second.headers['retry-after']).toBe('1');
      await blocker.query('ROLLBACK');
      blocker.release();
      expect((await first).status).toBe(201);
      expect((await post(`${owner}/phones`, PHONE, key)).body).toEqual((await first).body);
      expect(await listPhones(owner)).toHaveLength(1);
    });
  },
);

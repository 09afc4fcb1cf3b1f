import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { describe, expect, it } from 'vitest';
import { app, type ApiResponse, AS_ADMIN, expectProblem, request, restart } from './support/api.js';
import { createClient } from './support/clients.js';
import { keyHeader, SERVER } from './support/database.js';
import { createOwner, listPhones, OWNER_TYPES, type Phone } from './support/owners.js';

const PHONE = { digits: '650-555-0101', phone_type: 'Intake' };

function post<Body = Phone>(
  url: string,
  body: object,
  key: string,
  headers = {},
): Promise<ApiResponse<Body>> {
  return request('POST', url, body, { 'idempotency-key': key, ...headers });
}

const countKeys = async (): Promise<number> => {
  const { rows } = await app
    .get(Pool)
    .query<{ count: number }>('SELECT count(*)::integer AS count FROM idempotency_keys');
  return rows[0]?.count ?? 0;
};

describe.each(OWNER_TYPES)('a POST of a phone of an %s that is sent again with its key', (type) => {
  it('gets the first answer again and adds nothing', async () => {
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

  it('adds nothing either while the first one is under way', async () => {
    const owner = await createOwner(type);
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(`${owner}/phones`, PHONE, key)));
    const [phone] = await listPhones(owner);
    for (const answer of answers) {
      if (answer.status === 201) {
        expect(answer.body).toEqual(phone);
      } else {
        expectProblem(answer, 409, 'The first request with this Idempotency-Key is still in progress.');
        expect(answer.headers['retry-after']).toBe('1');
      }
    }
    expect(answers.some(({ status }) => status === 201)).toBe(true);
    expect(await listPhones(owner)).toHaveLength(1);
    expect((await post(`${owner}/phones`, PHONE, key)).body).toEqual(phone);
  });

  it('gives way to the rule of the primary number as any other does', async () => {
    const owner = await createOwner(type);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => post(`${owner}/phones`, { ...PHONE, is_primary: true }, randomUUID())),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect((await listPhones(owner)).filter(({ is_primary }) => is_primary)).toHaveLength(1);
  });
});

describe('a key that came with another request', () => {
  it.each([
    ['another body', (url: string) => [url, { ...PHONE, digits: '311' }] as const],
    ['another path', (url: string) => [url.replace(/locations.*/, 'phones'), PHONE] as const],
  ])('is refused: %s', async (_, other) => {
    const owner = await createOwner('location');
    const key = randomUUID();
    await post(`${owner}/phones`, PHONE, key);
    const [url, body] = other(`${owner}/phones`);
    expectProblem(
      await post(url, body, key),
      409,
      expect.stringContaining('was used for a different request'),
    );
    expect(await listPhones(url.replace('/phones', ''))).toHaveLength(url.includes('locations') ? 1 : 0);
  });

  it('is none when only the API key came another way', async () => {
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

describe('an organization, an opportunity and a location', () => {
  it.each([
    ['organization', () => Promise.resolve('/v1/organizations'), { name: 'Harbor' }],
    ['opportunity', async () => `${await createOwner('organization')}/opportunities`, { title: 'Lunch' }],
    ['location', async () => `${await createOwner('organization')}/locations`, { name: 'Harbor' }],
  ])('is created once for a key, too: an %s', async (_, urlOf, body) => {
    const url = await urlOf();
    const key = randomUUID();
    const count = async () => (await request<[]>('GET', `${url}?per_page=100`)).body.length;
    const first = await post(url, body, key);
    const before = await count();
    const again = await post(url, body, key);
    expect(again).toMatchObject({ status: 201, body: first.body });
    expect(again.headers.location).toBe(first.headers.location);
    expect(await count()).toBe(before);
    // A slug that is taken does not undo the transaction.
    expect((await post(url, body, randomUUID())).status).toBe(201);
  });
});

describe('a refusal', () => {
  it.each([
    [404, '/v1/organizations/2000000000/phones', PHONE],
    [400, '/v1/organizations/1/phones', { digits: 'none' }],
  ])('keeps no key: %i', async (status, url, body) => {
    const before = await countKeys();
    const key = randomUUID();
    expectProblem(await post(url, body, key), status);
    expect(await countKeys()).toBe(before);
    const owner = await createOwner('organization');
    expect((await post(`${owner}/phones`, PHONE, key)).status).toBe(201);
  });
});

describe('an Idempotency-Key', () => {
  it('is the same with quotes and without', async () => {
    const url = `${await createOwner('organization')}/phones`;
    const key = randomUUID();
    const first = await post(url, PHONE, key);
    expect((await post(url, PHONE, `"${key}"`)).body).toEqual(first.body);
  });

  it('may have a space in its quotes', async () => {
    const url = `${await createOwner('organization')}/phones`;
    const first = await post(url, PHONE, '"two words"');
    expect((await post(url, PHONE, '"two words"')).body).toEqual(first.body);
  });

  it.each(['', 'two words', '"a", "b"', 'a,b', '"', 'é', 'x'.repeat(256), '""'])(
    'is refused by name when it is %j',
    async (key) => {
      const owner = await createOwner('organization');
      const answer = await post(`${owner}/phones`, PHONE, key);
      expectProblem(answer, 400, expect.stringMatching(/^The Idempotency-Key must be 1 to 255 /));
      expect(await listPhones(owner)).toEqual([]);
    },
  );

  it('is each caller’s own', async () => {
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

  it('is one with every key of a client', async () => {
    const client = await createClient({ is_admin: true });
    const second = await request<{ key: string }>('POST', `/v1/clients/${client.id}/keys`, {}, AS_ADMIN);
    const owner = await createOwner('organization');
    const key = randomUUID();
    for (const apiKey of [client.key, second.body.key])
      await post(`${owner}/phones`, PHONE, key, keyHeader(apiKey));
    expect(await listPhones(owner)).toHaveLength(1);
  });

  it('does not let in whom the first request did not let in', async () => {
    const owner = await createOwner('organization');
    const key = randomUUID();
    await post(`${owner}/phones`, PHONE, key, AS_ADMIN);
    await restart({ REQUIRE_API_KEY: 'writes' });
    expectProblem(await post(`${owner}/phones`, PHONE, key), 401);
    await restart({});
  });

  it('is forgotten after 24 hours, and then deleted without anyone asking for it', async () => {
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
    const old = await countKeys();
    expect(old).toBeGreaterThan(1);
    for (let left = old; left > 0; left -= 9) await post(`${owner}/phones`, PHONE, randomUUID());
    const { rows } = await pool.query(
      `SELECT FROM idempotency_keys WHERE created_at <= now() - interval '24 hours'`,
    );
    expect(rows).toEqual([]);
  });

  it('comes with any body, also one that is nested without end', async () => {
    const owner = await createOwner('organization');
    const nested = `{"digits": ${'['.repeat(30_000)}${']'.repeat(30_000)}}`;
    const answer = await request('POST', `${owner}/phones`, nested, { 'idempotency-key': randomUUID() });
    expectProblem(answer, 400, expect.stringContaining('The body is invalid'));
  });

  it('is refused where the answer holds what is shown only once', async () => {
    const answer = await post('/v1/clients', { name: 'Desk' }, randomUUID(), AS_ADMIN);
    expectProblem(answer, 400, expect.stringContaining('Idempotency-Key is not supported here'));
  });

  it('means nothing to methods that can be repeated anyway', async () => {
    const owner = await createOwner('organization');
    const headers = { 'idempotency-key': '1' };
    expect((await request('GET', `${owner}/phones`, undefined, headers)).status).toBe(200);
    expect((await request('PUT', owner, { name: 'Another' }, headers)).status).toBe(200);
  });
});

describe('while the first request with a key is under way', { skip: SERVER === undefined }, () => {
  it('a second one is told to try again, and gets the answer of the first one after it', async () => {
    const owner = await createOwner('organization');
    const id = Number(owner.split('/').at(-1));
    const key = randomUUID();
    const blocker = await app.get(Pool).connect();
    await blocker.query('BEGIN');
    await blocker.query('SELECT FROM organizations WHERE id = $1 FOR UPDATE', [id]);
    const first = post(`${owner}/phones`, PHONE, key);
    // It has taken its key as soon as it waits for the owner.
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
});

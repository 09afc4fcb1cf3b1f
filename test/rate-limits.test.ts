import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import dataSource from '../ormconfig.js';
import { createApiKey } from '../src/auth/api-key.js';
import { app, AS_ADMIN, expectProblem, request, restart } from './support/api.js';
import { createClient } from './support/clients.js';
import { keyHeader } from './support/database.js';

const get = (headers: Record<string, string> = {}) => request('GET', '/v1/organizations', undefined, headers);
const post = (headers: Record<string, string> = {}) => request('POST', '/v1/organizations', {}, headers);

/** Sends a GET from an address, with or without an X-Forwarded-For header. @returns the status */
async function statusFrom(remoteAddress: string, forwardedFor?: string): Promise<number> {
  const response = await app.inject({
    url: '/v1/organizations',
    remoteAddress,
    headers: forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor },
  });
  return response.statusCode;
}

async function statusesFrom(remoteAddress: string, ...forwardedFor: string[]): Promise<number[]> {
  const statuses: number[] = [];
  for (const header of forwardedFor) statuses.push(await statusFrom(remoteAddress, header));
  return statuses;
}

it('there are no rate limits by default', async () => {
  for (let count = 0; count < 100; count++) expect((await get()).status).toBe(200);
  expect((await get()).headers).not.toHaveProperty('ratelimit');
});

describe('Rate limits', () => {
  beforeEach(() => restart({ REQUIRE_API_KEY: 'writes', RATE_LIMIT_READS: '5', RATE_LIMIT_WRITES: '2' }));

  it('are reported with the remaining requests, and return 429 when they are exceeded', async () => {
    for (let remaining = 4; remaining >= 0; remaining--) {
      const { status, headers } = await get();
      expect(status).toBe(200);
      expect(headers['ratelimit-policy']).toBe('"reads";q=5;w=60');
      expect(headers.ratelimit).toMatch(new RegExp(`^"reads";r=${remaining};t=(60|[1-5]?\\d)$`));
    }
    const response = await get();
    expectProblem(
      response,
      429,
      expect.stringMatching(/^No more than 5 reads per minute are allowed\. Retry in \d+ seconds\.$/),
    );
    expect(Number(response.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(response.headers['retry-after'])).toBeLessThanOrEqual(60);
    expect(response.headers.ratelimit).toMatch(/^"reads";r=0;t=\d+$/);
  });

  it('count reads and writes separately', async () => {
    for (let count = 0; count < 6; count++) await get();
    expect((await get()).status).toBe(429);
    for (const status of [401, 401, 429]) {
      const response = await post();
      expect(response.status).toBe(status);
      expect(response.headers['ratelimit-policy']).toBe('"writes";q=2;w=60');
    }
  });

  it('count each client separately, and anonymous requests by address', async () => {
    const [first, second] = [await createClient({}), await createClient({})].map(({ key }) => keyHeader(key));
    for (let count = 0; count < 5; count++) expect((await get(first)).status).toBe(200);
    expect((await get(first)).status).toBe(429);
    expect((await get(second)).status).toBe(200);
    expect((await get()).status).toBe(200);
    for (let count = 0; count < 5; count++) await get();
    expect((await get()).status).toBe(429);
    expect((await get(second)).status).toBe(200);
    expect((await get(AS_ADMIN)).status).toBe(200);
  });

  it('count a request with an invalid API key against its address', async () => {
    for (const status of [401, 401, 401, 401, 401, 429])
      expect((await get(keyHeader('x'))).status).toBe(status);
    expect((await get()).status).toBe(429);
  });

  it('count requests with an invalid body or an unknown path', async () => {
    for (const status of [400, 413, 429]) {
      const body = status === 413 ? ' '.repeat(70_000) : 'no JSON';
      expect((await request('POST', '/v1/organizations', body, AS_ADMIN)).status).toBe(status);
    }
    for (const status of [404, 404, 404, 404, 404, 429]) {
      expect((await request('GET', '/v1/nothing')).status).toBe(status);
    }
  });

  it('reject an unknown API key from an address that has exceeded them without looking it up', async () => {
    for (let count = 0; count < 5; count++) await get();
    await dataSource.transaction(async (manager) => {
      // A lookup would wait for this lock.
      await manager.query('LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE');
      expectProblem(await get(keyHeader(createApiKey())), 429);
    });
  });

  it('accept a known API key from an address that has exceeded them', async () => {
    const { key } = await createClient();
    expect((await get(keyHeader(key))).status).toBe(200);
    for (let count = 0; count < 6; count++) await get();
    expect((await get()).status).toBe(429);
    // A change to clients makes every key be looked up again.
    await createClient();
    expect((await get(keyHeader(key))).status).toBe(200);
  });

  it('end with their minute even if the clock of the system is set back', async () => {
    for (let count = 0; count < 6; count++) await get();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3_600_000 });
    const { status, headers } = await get();
    vi.useRealTimers();
    expect(status).toBe(429);
    expect(Number(headers['retry-after'])).toBeLessThanOrEqual(60);
  });

  it('do not apply to health checks', async () => {
    for (let count = 0; count < 10; count++) expect((await request('GET', '/health/live')).status).toBe(200);
  });

  it('count an IPv6 /64 as one address, and an IPv4 address once however it is written', async () => {
    for (let count = 0; count < 5; count++) await statusFrom(`2001:db8:1:2::${count}`);
    expect(await statusFrom('2001:db8:1:2:ffff::1')).toBe(429);
    expect(await statusFrom('2001:db8:1:3::1')).toBe(200);
    for (let count = 0; count < 5; count++) await statusFrom('203.0.113.1');
    expect(await statusFrom('::ffff:203.0.113.1')).toBe(429);
    expect(await statusFrom('203.0.113.2')).toBe(200);
  });

  it('ignore X-Forwarded-For unless TRUST_PROXY is set', async () => {
    const statuses = await statusesFrom(
      '203.0.113.9',
      '1.1.1.1',
      '2.2.2.2',
      '3.3.3.3',
      '4.4.4.4',
      '5.5.5.5',
      '6.6.6.6',
    );
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
  });
});

it('each client has its own rate limit even if no API key is required', async () => {
  await restart({ REQUIRE_API_KEY: 'never', RATE_LIMIT_READS: '1' });
  const [first, second] = [await createClient(), await createClient()].map(({ key }) => keyHeader(key));
  expect([await get(first), await get(second), await get(), await get(first)]).toMatchObject([
    { status: 200 },
    { status: 200 },
    { status: 200 },
    { status: 429 },
  ]);
});

describe('Behind a trusted proxy', () => {
  beforeAll(() =>
    restart({
      REQUIRE_API_KEY: 'never',
      RATE_LIMIT_READS: '2',
      TRUST_PROXY: 'loopback, 10.0.0.0/8',
    }),
  );

  it('the rate limit counts the last address that is not a trusted proxy', async () => {
    expect(await statusesFrom('127.0.0.1', '198.51.100.1', '198.51.100.1', '198.51.100.1')).toEqual([
      200, 200, 429,
    ]);
    expect(await statusFrom('10.1.2.3', '198.51.100.2')).toBe(200);
    // The client can write anything further to the left in the header.
    expect(await statusesFrom('127.0.0.1', '9.9.9.9, 198.51.100.1', '198.51.100.1, 10.0.0.7')).toEqual([
      429, 429,
    ]);
    expect(
      await statusesFrom('127.0.0.1', '198.51.100.1:5000', '[2001:db8::1]:99', '2001:db8::1', '2001:db8::2'),
    ).toEqual([429, 200, 200, 429]);
  });

  it('an invalid address counts against the proxy that sent it', async () => {
    expect(await statusesFrom('10.9.9.9', 'nonsense', 'client ADMIN_API_KEY', '<script>')).toEqual([
      200, 200, 429,
    ]);
    expect((await get(AS_ADMIN)).status).toBe(200);
  });

  it('X-Forwarded-For is ignored when it comes from any other address', async () => {
    const statuses = await statusesFrom('192.0.2.1', '127.0.0.1', '10.0.0.1', '3.3.3.3');
    expect(statuses).toEqual([200, 200, 429]);
  });
});

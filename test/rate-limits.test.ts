import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { app, AS_ADMIN, expectProblem, request, restart } from './support/api.js';
import { createClient } from './support/clients.js';
import { keyHeader } from './support/database.js';

const get = (headers: Record<string, string> = {}) => request('GET', '/v1/organizations', undefined, headers);
const post = (headers: Record<string, string> = {}) => request('POST', '/v1/organizations', {}, headers);

/** The status of a read from an address, which may be behind proxies. */
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
  for (const one of forwardedFor) statuses.push(await statusFrom(remoteAddress, one));
  return statuses;
}

it('there are none unless they are set', async () => {
  for (let count = 0; count < 100; count++) expect((await get()).status).toBe(200);
  expect((await get()).headers).not.toHaveProperty('ratelimit');
});

describe('with limits', () => {
  beforeEach(() => restart({ REQUIRE_API_KEY: 'writes', RATE_LIMIT_READS: '5', RATE_LIMIT_WRITES: '2' }));

  it('tell what is left, and refuse what is too much', async () => {
    for (let left = 4; left >= 0; left--) {
      const { status, headers } = await get();
      expect(status).toBe(200);
      expect(headers['ratelimit-policy']).toBe('"reads";q=5;w=60');
      expect(headers.ratelimit).toMatch(new RegExp(`^"reads";r=${left};t=(60|[1-5]?\\d)$`));
    }
    const answer = await get();
    expectProblem(
      answer,
      429,
      expect.stringMatching(/^No more than 5 reads per minute are allowed\. Retry in \d+ seconds\.$/),
    );
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(answer.headers['retry-after'])).toBeLessThanOrEqual(60);
    expect(answer.headers.ratelimit).toMatch(/^"reads";r=0;t=\d+$/);
  });

  it('count reads and writes apart', async () => {
    for (let count = 0; count < 6; count++) await get();
    expect((await get()).status).toBe(429);
    for (const status of [401, 401, 429]) {
      const answer = await post();
      expect(answer.status).toBe(status);
      expect(answer.headers['ratelimit-policy']).toBe('"writes";q=2;w=60');
    }
  });

  it('count each client apart, by whichever of its keys, and apart from those without a key', async () => {
    const [one, two] = [await createClient({}), await createClient({})].map(({ key }) => keyHeader(key));
    for (let count = 0; count < 5; count++) expect((await get(one)).status).toBe(200);
    expect((await get(one)).status).toBe(429);
    expect((await get(two)).status).toBe(200);
    expect((await get()).status).toBe(200);
    for (let count = 0; count < 5; count++) await get();
    expect((await get()).status).toBe(429);
    expect((await get(two)).status).toBe(200);
    expect((await get(AS_ADMIN)).status).toBe(200);
  });

  it('count a key that is not good for the address', async () => {
    for (const status of [401, 401, 401, 401, 401, 429])
      expect((await get(keyHeader('x'))).status).toBe(status);
    expect((await get()).status).toBe(429);
  });

  it('count what is refused for its body, and what leads nowhere', async () => {
    for (const status of [400, 413, 429]) {
      const body = status === 413 ? ' '.repeat(70_000) : 'no JSON';
      expect((await request('POST', '/v1/organizations', body)).status).toBe(status);
    }
    for (const status of [404, 404, 404, 404, 404, 429]) {
      expect((await request('GET', '/v1/nothing')).status).toBe(status);
    }
  });

  it('do not touch the health of the service', async () => {
    for (let count = 0; count < 10; count++) expect((await request('GET', '/health/live')).status).toBe(200);
  });

  it('take the /64 of an IPv6 address for one, and an IPv4 address for itself however it is written', async () => {
    for (let count = 0; count < 5; count++) await statusFrom(`2001:db8:1:2::${count}`);
    expect(await statusFrom('2001:db8:1:2:ffff::1')).toBe(429);
    expect(await statusFrom('2001:db8:1:3::1')).toBe(200);
    for (let count = 0; count < 5; count++) await statusFrom('203.0.113.1');
    expect(await statusFrom('::ffff:203.0.113.1')).toBe(429);
    expect(await statusFrom('203.0.113.2')).toBe(200);
  });

  it('do not believe X-Forwarded-For unless they are told to', async () => {
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

it('each client has its own, also where no key is needed', async () => {
  await restart({ REQUIRE_API_KEY: 'never', RATE_LIMIT_READS: '1' });
  const [one, two] = [await createClient(), await createClient()].map(({ key }) => keyHeader(key));
  expect([await get(one), await get(two), await get(), await get(one)]).toMatchObject([
    { status: 200 },
    { status: 200 },
    { status: 200 },
    { status: 429 },
  ]);
});

describe('behind a proxy', () => {
  beforeAll(() =>
    restart({
      REQUIRE_API_KEY: 'never',
      RATE_LIMIT_READS: '2',
      TRUST_PROXY: 'loopback, 10.0.0.0/8',
    }),
  );

  it('the address is the last that the proxy did not vouch for', async () => {
    expect(await statusesFrom('127.0.0.1', '198.51.100.1', '198.51.100.1', '198.51.100.1')).toEqual([
      200, 200, 429,
    ]);
    expect(await statusFrom('10.1.2.3', '198.51.100.2')).toBe(200);
    // What stands further left was sent by the caller, who can write anything there.
    expect(await statusesFrom('127.0.0.1', '9.9.9.9, 198.51.100.1', '198.51.100.1, 10.0.0.7')).toEqual([
      429, 429,
    ]);
    expect(
      await statusesFrom('127.0.0.1', '198.51.100.1:5000', '[2001:db8::1]:99', '2001:db8::1', '2001:db8::2'),
    ).toEqual([429, 200, 200, 429]);
  });

  it('what is no address counts for the proxy that sent it', async () => {
    expect(await statusesFrom('10.9.9.9', 'nonsense', 'client ADMIN_API_KEY', '<script>')).toEqual([
      200, 200, 429,
    ]);
    expect((await get(AS_ADMIN)).status).toBe(200);
  });

  it('an address that is no proxy of ours is believed nothing', async () => {
    const statuses = await statusesFrom('192.0.2.1', '127.0.0.1', '10.0.0.1', '3.3.3.3');
    expect(statuses).toEqual([200, 200, 429]);
  });
});

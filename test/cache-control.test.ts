import { beforeAll, describe, expect, it } from 'vitest';
import { AS_ADMIN, type Method, request, restart } from './support/api.js';
import { createOwner } from './support/owners.js';

const cacheControl = async (method: Method, path: string, headers: Record<string, string>) =>
  (await request(method, path, method === 'POST' ? { name: 'X' } : undefined, headers)).headers[
    'cache-control'
  ];

describe.each([
  ['never', 'no-cache', 'no-cache'],
  ['writes', 'no-cache', 'private, no-cache'],
  ['always', 'private, no-cache', 'private, no-cache'],
] as const)('With REQUIRE_API_KEY=%s,', (mode, read, write) => {
  let owner: string;

  beforeAll(async () => {
    await restart({ REQUIRE_API_KEY: mode });
    owner = await createOwner('organization');
  });

  it(`Cache-Control is "${read}" for reads and "${write}" for writes`, async () => {
    for (const headers of [AS_ADMIN, {}]) {
      for (const path of [
        '/v1/organizations',
        owner,
        `${owner}/phones`,
        `${owner}/phones/1`,
        '/v1/organizations/none',
      ]) {
        expect(await cacheControl('GET', path, headers)).toBe(read);
        expect(await cacheControl('HEAD', path, headers)).toBe(read);
      }
      expect(await cacheControl('POST', '/v1/organizations', headers)).toBe(write);
      expect(await cacheControl('DELETE', `${owner}/phones/1`, headers)).toBe(write);
    }
  });

  it('Cache-Control is "private, no-cache" for lists of clients and "no-store" for a new client', async () => {
    expect(await cacheControl('GET', '/v1/clients', AS_ADMIN)).toBe('private, no-cache');
    expect(await cacheControl('GET', '/v1/clients', {})).toBe('private, no-cache');
    expect(await cacheControl('POST', '/v1/clients', AS_ADMIN)).toBe('no-store');
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import { AS_ADMIN, expectProblem, type Method, request } from './support/api.js';
import { createClient } from './support/clients.js';
import { createOrganization, createOwner, createPhone, listPhones, OWNER_CASES } from './support/owners.js';

const TOO_LARGE = ['2147483648', '9223372036854775808', '9'.repeat(200), '9'.repeat(5000)];
const NOT_INTEGERS = ['abc', '1.5', '1e3', '+1', '0x1', '%00', '1%20', '%F0%9F%93%9E', '１', "1'--", '1;2'];
const UNUSED_IDS = ['0', '-1', '-9223372036854775809', '2147483647', ...TOO_LARGE];
const UNKNOWN_IDS = [...NOT_INTEGERS, ...UNUSED_IDS];

const REQUESTS: [Method, object?][] = [['GET'], ['PUT', { digits: '711' }], ['DELETE']];

describe.each(OWNER_CASES)('The ID of a phone of %s', (_, type) => {
  let owner: string;

  beforeAll(async () => {
    owner = await createOwner(type);
    await createPhone(owner);
  });

  it.each(NOT_INTEGERS)('results in 400 when it is %s', async (id) => {
    for (const [method, body] of REQUESTS) {
      const response = await request(method, `${owner}/phones/${id}`, body);
      expectProblem(response, 400, 'The id of a phone must be an integer.');
    }
  });

  it.each(UNUSED_IDS)('results in 404 when it is %s', async (id) => {
    for (const [method, body] of REQUESTS) {
      expectProblem(await request(method, `${owner}/phones/${id}`, body), 404, 'There is no such phone.');
    }
    expect(await listPhones(owner)).toHaveLength(1);
  });
});

describe('The ID of a location', () => {
  const requestAll = async (id: string) => {
    const location = `/v1/organizations/${(await createOrganization()).id}/locations/${id}`;
    return Promise.all([
      request('GET', location),
      request('PUT', location, {}),
      request('DELETE', location),
      request('GET', `${location}/phones`),
      request('POST', `${location}/phones`, { digits: '711' }),
      request('GET', `${location}/phones/1`),
      request('PUT', `${location}/phones/1`, {}),
      request('DELETE', `${location}/phones/1`),
    ]);
  };

  it.each(NOT_INTEGERS)('results in 400 when it is %s', async (id) => {
    for (const response of await requestAll(id)) {
      expectProblem(response, 400, 'The id of a location must be an integer.');
    }
  });

  it.each(UNUSED_IDS)('results in 404 when it is %s', async (id) => {
    for (const response of await requestAll(id)) expectProblem(response, 404, 'There is no such location.');
  });
});

describe('The ID of a client or a key', () => {
  const requestAll = async (client: string | number, key: string) => ({
    client: [
      await request('GET', `/v1/clients/${key}`, undefined, AS_ADMIN),
      await request('PUT', `/v1/clients/${key}`, {}, AS_ADMIN),
      await request('DELETE', `/v1/clients/${key}`, undefined, AS_ADMIN),
      await request('POST', `/v1/clients/${key}/keys`, {}, AS_ADMIN),
      await request('DELETE', `/v1/clients/${key}/keys/1`, undefined, AS_ADMIN),
    ],
    key: [await request('DELETE', `/v1/clients/${client}/keys/${key}`, undefined, AS_ADMIN)],
  });

  it('results in 400 when it is not an integer, and in 404 when it cannot be an ID', async () => {
    const { id: client } = await createClient();
    for (const id of UNKNOWN_IDS) {
      for (const [resource, responses] of Object.entries(await requestAll(client, id))) {
        for (const response of responses) {
          if (UNUSED_IDS.includes(id)) expectProblem(response, 404, `There is no such ${resource}.`);
          else expectProblem(response, 400, `The id of a ${resource} must be an integer.`);
        }
      }
    }
  });
});

describe('The path of an owner', () => {
  it.each(UNKNOWN_IDS)('results in 404 when the ID or slug of the organization is %s', async (id) => {
    for (const path of [`/v1/organizations/${id}`, `/v1/organizations/${id}/phones`]) {
      expectProblem(await request('GET', path), 404, 'There is no such organization.');
    }
    expectProblem(await request('POST', `/v1/organizations/${id}/phones`, { digits: '711' }), 404);
    expectProblem(await request('GET', `/v1/organizations/${id}/opportunities`), 404);
    expectProblem(await request('POST', `/v1/organizations/${id}/locations`, { name: 'Here' }), 404);
  });

  it.each(UNKNOWN_IDS)('results in 404 when the ID or slug of the opportunity is %s', async (id) => {
    const path = `/v1/organizations/${(await createOrganization()).id}/opportunities/${id}`;
    for (const response of [
      await request('GET', path),
      await request('PUT', path, {}),
      await request('DELETE', path),
      await request('GET', `${path}/phones`),
      await request('POST', `${path}/phones`, { digits: '711' }),
    ]) {
      expectProblem(response, 404, 'There is no such opportunity.');
    }
  });
});

it('a path with malformed percent-encoding returns 400', async () => {
  expectProblem(await request('GET', '/v1/organizations/%zz/phones'), 400);
  expectProblem(await request('GET', '/v1/organizations/%C0%80/phones'), 400);
});

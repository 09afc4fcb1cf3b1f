import { beforeAll, describe, expect, it } from 'vitest';
import { expectProblem, type Method, request } from './support/api.js';
import { createOrganization, createOwner, createPhone, listPhones, OWNER_CASES } from './support/owners.js';

const TOO_LARGE = ['2147483648', '9223372036854775808', '9'.repeat(200), '9'.repeat(5000)];
const UNKNOWN_IDS = ['abc', '1.5', '-1', '0', '1e3', '%00', '%F0%9F%93%9E', "1'--", '1;2', ...TOO_LARGE];

const REQUESTS: [Method, object?][] = [['GET'], ['PUT', { digits: '711' }], ['DELETE']];

describe.each(OWNER_CASES)('The ID of a phone of %s', (_, type) => {
  let owner: string;

  beforeAll(async () => {
    owner = await createOwner(type);
    await createPhone(owner);
  });

  it.each(['abc', '1.5', '1e3', '+1', '0x1', '%00', '1%20', '%F0%9F%93%9E', '１'])(
    'results in 400 when it is %s',
    async (id) => {
      for (const [method, body] of REQUESTS) {
        const response = await request(method, `${owner}/phones/${id}`, body);
        expectProblem(response, 400, 'The id of a phone must be an integer.');
      }
    },
  );

  it.each(['0', '-1', '-9223372036854775809', '2147483647', ...TOO_LARGE])(
    'results in 404 when it is %s',
    async (id) => {
      for (const [method, body] of REQUESTS) {
        expectProblem(await request(method, `${owner}/phones/${id}`, body), 404, 'There is no such phone.');
      }
      expect(await listPhones(owner)).toHaveLength(1);
    },
  );
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

  it.each(UNKNOWN_IDS)('results in 404 when the ID of the opportunity or location is %s', async (id) => {
    const organization = `/v1/organizations/${(await createOrganization()).id}`;
    for (const [collection, type] of [
      ['opportunities', 'opportunity'],
      ['locations', 'location'],
    ] as const) {
      const path = `${organization}/${collection}/${id}`;
      expectProblem(await request('GET', path), 404, `There is no such ${type}.`);
      expectProblem(await request('GET', `${path}/phones`), 404, `There is no such ${type}.`);
      expectProblem(await request('POST', `${path}/phones`, { digits: '711' }), 404);
      expectProblem(await request('PUT', path, {}), 404);
      expectProblem(await request('DELETE', path), 404);
    }
  });
});

it('a path with malformed percent-encoding returns 400', async () => {
  expectProblem(await request('GET', '/v1/organizations/%zz/phones'), 400);
  expectProblem(await request('GET', '/v1/organizations/%C0%80/phones'), 400);
});

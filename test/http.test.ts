import { once } from 'node:events';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { app, expectFieldErrors, expectProblem, type Method, request, restart } from './support/api.js';
import dataSource from '../ormconfig.js';
import { createOrganization, createOwner, createPhone, listPhones, type Phone } from './support/owners.js';

let owner: string;
let phone: Phone;
let collection: string;
let resource: string;
let port: number;

beforeAll(async () => {
  owner = await createOwner('organization');
  phone = await createPhone(owner);
  collection = `${owner}/phones`;
  resource = `${collection}/${phone.id}`;
  await app.listen(0, '127.0.0.1');
  port = (app.getHttpServer().address() as AddressInfo).port;
});

describe('A request body', () => {
  const expectNothingWritten = async () => {
    expect(await listPhones(owner)).toEqual([phone]);
  };

  it.each(['[]', '[{"digits":"211"}]', '"211"', '211', 'true', 'null'])(
    'is rejected with 400 when it is not an object: %s',
    async (body) => {
      expectFieldErrors(await request('POST', collection, body), {
        pointer: '',
        detail: 'must be a JSON object',
      });
      expectFieldErrors(await request('PUT', resource, body), {
        pointer: '',
        detail: 'must be a JSON object',
      });
      await expectNothingWritten();
    },
  );

  it('is required: without one, POST and PUT return 400', async () => {
    expectFieldErrors(await request('POST', collection), { pointer: '', detail: 'must be a JSON object' });
    expectFieldErrors(await request('POST', collection, ''), {
      pointer: '',
      detail: 'must be a JSON object',
    });
    expectFieldErrors(await request('PUT', resource), { pointer: '', detail: 'must be a JSON object' });
    await expectNothingWritten();
  });

  it.each(['{', '{"digits":"211"', "{'digits':'211'}", '{"digits":"211"}}', '{"digits":NaN}', '\u0000'])(
    'is rejected with 400 when it is not valid JSON: %j',
    async (body) => {
      expectProblem(await request('POST', collection, body), 400, 'The body is not valid JSON.');
      await expectNothingWritten();
    },
  );

  it.each([
    ['deeply nested arrays', '['.repeat(10_000) + ']'.repeat(10_000)],
    ['deeply nested objects', '{"a":'.repeat(3000) + '1' + '}'.repeat(3000)],
    ['objects with the key "constructor"', '{"constructor":"x"}'],
    ['objects with the key "__proto__"', '{"__proto__":{"constructor":1}}'],
  ])('is rejected with field errors when its fields are %s', async (_, nested) => {
    expectFieldErrors(
      await request('POST', collection, `{"id":${nested},"digits":${nested},"unknown":${nested}}`),
      {
        pointer: '/digits',
        detail: 'must be a string',
      },
      { pointer: '/unknown', detail: 'is not a known field' },
    );
    await expectNothingWritten();
  });

  it('is rejected with 415 when it is compressed', async () => {
    const response = await request('POST', collection, '{"digits":"211"}', { 'content-encoding': 'gzip' });
    expectProblem(response, 415);
    await expectNothingWritten();
  });

  it('is rejected with 400 when it is not UTF-8', async () => {
    const response = await app.inject({
      method: 'POST',
      url: collection,
      headers: { 'content-type': 'application/json' },
      payload: Buffer.from('{"digits":"211 \xe9"}', 'latin1'),
    });
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ detail: 'The body is not UTF-8.' });
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    'x',
  ])('is rejected with 415 when its Content-Type is %s', async (contentType) => {
    const response = await request('POST', collection, '{"digits":"211"}', { 'content-type': contentType });
    expectProblem(
      response,
      415,
      'The body must be JSON, not compressed, with Content-Type: application/json.',
    );
    await expectNothingWritten();
  });

  it('is rejected with 413 when it is larger than 64 KiB, but not when it is exactly 64 KiB', async () => {
    const bodyOfSize = (size: number) => '{"digits":"211"}'.padEnd(size);
    expectProblem(
      await request('POST', collection, bodyOfSize(65_537)),
      413,
      'The body is larger than 64 KiB.',
    );
    await expectNothingWritten();
    const created = await request<Phone>('POST', collection, bodyOfSize(65_536));
    expect(created.status).toBe(201);
    await request('DELETE', `${collection}/${created.body.id}`);
  });

  it('may have a charset, and may be missing in a DELETE with a Content-Type', async () => {
    const headers = { 'content-type': 'application/json; charset=utf-8' };
    const created = await request<Phone>('POST', collection, { digits: '211' }, headers);
    expect(created.status).toBe(201);
    const url = `${collection}/${created.body.id}`;
    expect((await request('DELETE', url, undefined, headers)).status).toBe(204);
  });
});

describe('A path', () => {
  it.each([
    '/v1',
    '/v2/organizations',
    '/organizations',
    '/v1/phones/1',
    '/v1/organizations/1/phones/1/x',
    '/V1/organizations',
    '/v1//organizations',
  ])('returns 404 when it is unknown: %s', async (path) => {
    for (const method of ['GET', 'POST', 'DELETE'] as const) {
      expectProblem(await request(method, path), 404, 'There is nothing at this path.');
    }
  });

  it('returns 404 for a file that Swagger UI does not have', async () => {
    expectProblem(await request('GET', '/docs/no-such-file.js'), 404, 'There is nothing at this path.');
  });

  it.each([
    ['phones', () => collection, 'GET, HEAD, POST'],
    ['a phone', () => resource, 'DELETE, GET, HEAD, PUT'],
    ['organizations', () => '/v1/organizations/', 'GET, HEAD, POST'],
    ['an organization', () => owner, 'DELETE, GET, HEAD, PUT'],
    ['the liveness check', () => '/health/live', 'GET, HEAD'],
  ])('of %s returns 405 for every method that Allow does not list', async (_, path, allow) => {
    const methods: Method[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
    for (const method of methods.filter((name) => !allow.split(', ').includes(name))) {
      const response = await request(method, path());
      expectProblem(response, 405);
      expect(response.headers.allow).toBe(allow);
    }
  });

  it('returns 405 with Allow for a standard method that no route supports', async () => {
    const response = await fetch(`http://127.0.0.1:${port}${collection}`, { method: 'PROPFIND' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD, POST');
  });

  it('may end with a slash', async () => {
    expect((await request('GET', `${collection}/`)).body).toEqual([phone]);
    expect((await request('GET', `${resource}/`)).body).toEqual(phone);
    expect((await request('GET', '/v1/organizations/?page=1')).status).toBe(200);
  });

  it('responds to HEAD as to GET, without a body', async () => {
    for (const path of [collection, resource, owner, '/v1/organizations', '/health/ready']) {
      const [get, head] = [await request('GET', path), await request('HEAD', path)];
      expect(head).toMatchObject({ status: 200, body: '' });
      expect(head.headers['content-type']).toBe(get.headers['content-type']);
    }
    expect((await request('HEAD', `${collection}/0`)).status).toBe(404);
  });

  it('returns 414 when the URL is longer than 8 KiB', async () => {
    const urlOfLength = (length: number) => '/health/live?x='.padEnd(length, 'x');
    expect((await request('GET', urlOfLength(8192))).status).toBe(200);
    expectProblem(await request('GET', urlOfLength(8193)), 414, 'The URL is longer than 8 KiB.');
    expectProblem(await request('GET', `/v1/${'x'.repeat(8192)}`), 414, 'The URL is longer than 8 KiB.');
  });
});

describe('A response', () => {
  it.each([
    ['an unknown path', '/v1/nothing'],
    ['a path with invalid percent-encoding', '/v1/organizations/%zz'],
    ['a URL that is too long', `/v1/${'x'.repeat(9000)}`],
    ['a list with an invalid query parameter', '/v1/organizations?page=0'],
    ['Swagger UI', '/docs'],
  ])('to a GET of %s has X-Content-Type-Options: nosniff', async (_, path) => {
    expect((await request('GET', path)).headers['x-content-type-options']).toBe('nosniff');
  });

  it('to a malformed URL has a closed content security policy', async () => {
    const { headers } = await request('GET', '/v1/%zz');
    expect(headers['content-security-policy']).toBe("default-src 'none';frame-ancestors 'none'");
  });

  it('has the security headers and does not reveal the server software', async () => {
    const { headers } = await request('GET', collection);
    expect(headers).not.toHaveProperty('x-powered-by');
    expect(headers).not.toHaveProperty('server');
    expect(headers).not.toHaveProperty('strict-transport-security');
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
    });
    expect((await request('GET', '/docs')).headers).toMatchObject({
      'x-frame-options': 'SAMEORIGIN',
      'content-security-policy': expect.stringContaining("default-src 'self'") as string,
    });
  });

  it('with status 500 does not reveal the cause of the error', async () => {
    const organization = await createOrganization();
    await dataSource.query('ALTER TABLE locations RENAME TO locations_renamed');
    const response = await request('GET', `/v1/organizations/${organization.id}/locations`);
    await dataSource.query('ALTER TABLE locations_renamed RENAME TO locations');
    expectProblem(response, 500, 'An unexpected error occurred. It has been logged.');
    expect(Object.keys(response.body as object)).toEqual(['type', 'title', 'status', 'detail', 'request_id']);
  });
});

describe('The OpenAPI document', () => {
  it('in YAML is generated once, not for each request', async () => {
    const cpuTimeOf = async (requests: number) => {
      const start = process.cpuUsage();
      for (let count = 0; count < requests; count += 1) {
        expect(await request('GET', '/docs-yaml')).toMatchObject({
          status: 200,
          headers: { 'content-type': 'text/yaml' },
          body: expect.stringContaining('openapi: 3.0.0') as string,
        });
      }
      return process.cpuUsage(start).user;
    };
    const first = await cpuTimeOf(1);
    expect(await cpuTimeOf(20)).toBeLessThan(first);
  });
});

describe('A raw HTTP request', () => {
  it.each([
    [
      'headers that are too large',
      431,
      `GET / HTTP/1.1\r\nHost: localhost\r\nX-Large: ${'x'.repeat(20_000)}\r\n\r\n`,
    ],
    ['an invalid request line', 400, 'hello\r\n\r\n'],
    ['an unknown method', 400, 'BREW /v1/organizations HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    [
      'both Content-Length and Transfer-Encoding',
      400,
      'POST /v1/organizations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}',
    ],
    ['no Host header', 400, 'GET /v1/organizations HTTP/1.1\r\nConnection: close\r\n\r\n'],
    ['two Host headers', 400, 'GET /v1/organizations HTTP/1.1\r\nHost: localhost\r\nHost: y\r\n\r\n'],
    [
      'a second Host header after a thousand other headers',
      400,
      `GET /v1/organizations HTTP/1.1\r\nHost: localhost\r\n${'a:\r\n'.repeat(1000)}Host: y\r\n\r\n`,
    ],
    [
      'an unsupported transfer coding',
      400,
      'GET /v1/organizations HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'an expectation other than 100-continue',
      417,
      'GET / HTTP/1.1\r\nHost: localhost\r\nExpect: tea\r\n\r\n',
    ],
    ['the method CONNECT', 400, 'CONNECT example.org:80 HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ])('with %s is rejected with %i and problem details', async (_, status, bytes) => {
    const socket = connect(port, '127.0.0.1');
    socket.write(bytes);
    const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
    expect(head.split('\r\n')[0]).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head.toLowerCase()).toContain('content-type: application/problem+json');
    expect(JSON.parse(body.replace(/^[\da-f]+\r\n(.*)\r\n0$/s, '$1'))).toMatchObject({
      type: 'about:blank',
      status,
    });
  });

  it('that is invalid gets its 400 even while the client is still sending', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write('hello\r\n\r\n');
    const response = text(socket);
    for (let piece = 0; piece < 20; piece += 1) {
      await setImmediate();
      socket.write('x'.repeat(10_000));
    }
    expect(await response).toMatch(/^HTTP\/1.1 400 /);
  });

  it('with the method CONNECT does not stop the service when the client disconnects', async () => {
    for (let count = 0; count < 20; count += 1) {
      const socket = connect(port, '127.0.0.1');
      socket.write(
        'GET /v1/organizations HTTP/1.1\r\nHost: localhost\r\n\r\nCONNECT x:1 HTTP/1.1\r\nHost: localhost\r\n\r\n',
      );
      await once(socket, 'connect');
      for (let turn = 0; turn < count; turn += 1) await setImmediate();
      socket.resetAndDestroy();
    }
    expect((await fetch(`http://127.0.0.1:${port}${collection}`)).status).toBe(200);
  });
});

describe('A request that never ends', () => {
  beforeAll(async () => {
    await restart({ REQUEST_TIMEOUT: '3000' });
    await app.listen(0, '127.0.0.1');
    port = (app.getHttpServer().address() as AddressInfo).port;
  });

  it.each([
    ['GET /nothing', 404],
    ['GET /v1/organizations', 200],
  ])('in its body gets exactly one response: %s returns %i', async (line, status) => {
    const socket = connect(port, '127.0.0.1');
    socket.write(
      `${line} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n`,
    );
    const trickle = setInterval(() => socket.write(' '), 500);
    const response = await text(socket);
    clearInterval(trickle);
    expect(response).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(response.match(/^HTTP\/1.1/gm)).toHaveLength(1);
  });

  it('in its headers returns 408', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /v1/organizations HTTP/1.1\r\nHost: localhost\r\n');
    const response = await text(socket);
    expect(response).toMatch(/^HTTP\/1.1 408 /);
    expect(response).toContain('"detail":"The request did not arrive in time."');
  });
});

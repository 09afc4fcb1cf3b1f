import { once } from 'node:events';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { app, expectFieldErrors, expectProblem, type Method, request } from './support/api.js';
import dataSource from '../ormconfig.js';
import { createOrganization, createOwner, createPhone, listPhones, type Phone } from './support/owners.js';

let owner: string;
let phone: Phone;
let collection: string;
let resource: string;

beforeAll(async () => {
  owner = await createOwner('organization');
  phone = await createPhone(owner);
  collection = `${owner}/phones`;
  resource = `${collection}/${phone.id}`;
});

describe('a body is refused', () => {
  const nothingWritten = async () => {
    expect(await listPhones(owner)).toEqual([phone]);
  };

  it.each(['[]', '[{"digits":"211"}]', '"211"', '211', 'true', 'null'])(
    'when it is no object: %s',
    async (body) => {
      expectFieldErrors(await request('POST', collection, body), {
        pointer: '',
        detail: 'must be a JSON object',
      });
      expectFieldErrors(await request('PUT', resource, body), {
        pointer: '',
        detail: 'must be a JSON object',
      });
      await nothingWritten();
    },
  );

  it('when there is none', async () => {
    expectFieldErrors(await request('POST', collection), { pointer: '', detail: 'must be a JSON object' });
    expectFieldErrors(await request('POST', collection, ''), {
      pointer: '',
      detail: 'must be a JSON object',
    });
    expectFieldErrors(await request('PUT', resource), { pointer: '', detail: 'must be a JSON object' });
    await nothingWritten();
  });

  it.each(['{', '{"digits":"211"', "{'digits':'211'}", '{"digits":"211"}}', '{"digits":NaN}', '\u0000'])(
    'when it is no JSON: %s',
    async (body) => {
      expectProblem(await request('POST', collection, body), 400, 'The body is not valid JSON.');
      await nothingWritten();
    },
  );

  it.each([
    ['without end', '['.repeat(10_000) + ']'.repeat(10_000)],
    ['without end', '{"a":'.repeat(3000) + '1' + '}'.repeat(3000)],
    ['with a false constructor', '{"constructor":"x"}'],
    ['with a false prototype', '{"__proto__":{"constructor":1}}'],
  ])('for the fields that are nested %s', async (_, nested) => {
    expectFieldErrors(
      await request('POST', collection, `{"id":${nested},"digits":${nested},"unknown":${nested}}`),
      {
        pointer: '/digits',
        detail: 'must be a string',
      },
      { pointer: '/unknown', detail: 'is not a known field' },
    );
    await nothingWritten();
  });

  it('when it is compressed', async () => {
    const answer = await request('POST', collection, '{"digits":"211"}', { 'content-encoding': 'gzip' });
    expectProblem(answer, 415);
    await nothingWritten();
  });

  it('when it is not UTF-8', async () => {
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
  ])('when it is %s', async (contentType) => {
    const answer = await request('POST', collection, '{"digits":"211"}', { 'content-type': contentType });
    expectProblem(answer, 415, 'The body must be JSON, not compressed, with Content-Type: application/json.');
    await nothingWritten();
  });

  it('when it is larger than 64 KiB, but not when it is just that large', async () => {
    const padded = (size: number) => '{"digits":"211"}'.padEnd(size);
    expectProblem(await request('POST', collection, padded(65_537)), 413, 'The body is larger than 64 KiB.');
    await nothingWritten();
    const added = await request<Phone>('POST', collection, padded(65_536));
    expect(added.status).toBe(201);
    await request('DELETE', `${collection}/${added.body.id}`);
  });

  it('but may say its charset, and may be announced and not sent where none is needed', async () => {
    const type = { 'content-type': 'application/json; charset=utf-8' };
    const added = await request<Phone>('POST', collection, { digits: '211' }, type);
    expect(added.status).toBe(201);
    expect((await request('DELETE', `${collection}/${added.body.id}`, undefined, type)).status).toBe(204);
  });
});

describe('a path', () => {
  it.each([
    '/v1',
    '/v2/organizations',
    '/organizations',
    '/v1/phones',
    '/v1/organizations/1/phones/1/x',
    '/V1/organizations',
    '/v1//organizations',
  ])('that leads nowhere is 404: %s', async (path) => {
    for (const method of ['GET', 'POST', 'DELETE'] as const) {
      expectProblem(await request(method, path), 404, 'There is nothing at this path.');
    }
  });

  it.each([
    ['phones', () => collection, 'GET, HEAD, POST'],
    ['a phone', () => resource, 'DELETE, GET, HEAD, PUT'],
    ['organizations', () => '/v1/organizations/', 'GET, HEAD, POST'],
    ['an organization', () => owner, 'DELETE, GET, HEAD, PUT'],
    ['the health of the service', () => '/health/live', 'GET, HEAD'],
  ])('to %s has just the verbs that Allow names', async (_, path, allow) => {
    const verbs: Method[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
    for (const method of verbs.filter((verb) => !allow.split(', ').includes(verb))) {
      const answer = await request(method, path());
      expectProblem(answer, 405);
      expect(answer.headers.allow).toBe(allow);
    }
  });

  it('of a file that Swagger UI does not have is 404', async () => {
    expectProblem(await request('GET', '/docs/no-such-file.js'), 404, 'There is nothing at this path.');
  });

  it('may end with a slash', async () => {
    expect((await request('GET', `${collection}/`)).body).toEqual([phone]);
    expect((await request('GET', `${resource}/`)).body).toEqual(phone);
    expect((await request('GET', '/v1/organizations/?page=1')).status).toBe(200);
  });

  it('answers HEAD as GET, without the body', async () => {
    for (const path of [collection, resource, owner, '/v1/organizations', '/health/ready']) {
      const [get, head] = [await request('GET', path), await request('HEAD', path)];
      expect(head).toMatchObject({ status: 200, body: '' });
      expect(head.headers['content-type']).toBe(get.headers['content-type']);
    }
    expect((await request('HEAD', `${collection}/0`)).status).toBe(404);
  });
});

it('a URL is no longer than 8 KiB', async () => {
  const url = (length: number) => '/v1/organizations?x='.padEnd(length, 'x');
  expect((await request('GET', url(8192))).status).toBe(200);
  expectProblem(await request('GET', url(8193)), 414, 'The URL is longer than 8 KiB.');
  expectProblem(await request('GET', `/v1/${'x'.repeat(8192)}`), 414, 'The URL is longer than 8 KiB.');
});

it('a fault of the service is 500, and nobody is told what it is', async () => {
  const organization = await createOrganization();
  await dataSource.query('ALTER TABLE locations RENAME TO mislaid');
  const answer = await request('GET', `/v1/organizations/${organization.id}/locations`);
  await dataSource.query('ALTER TABLE mislaid RENAME TO locations');
  expectProblem(answer, 500, 'An unexpected error occurred. It has been logged.');
  expect(Object.keys(answer.body as object)).toEqual(['type', 'title', 'status', 'detail']);
});

it.each([
  '/v1/nothing',
  '/v1/organizations/%zz',
  `/v1/${'x'.repeat(9000)}`,
  '/v1/organizations?page=0',
  '/docs',
])('no answer is taken for something else by a browser: %s', async (path) => {
  expect((await request('GET', path)).headers['x-content-type-options']).toBe('nosniff');
});

it('answers do not tell what they are made with, and protect a browser', async () => {
  const { headers } = await request('GET', collection);
  expect(headers).not.toHaveProperty('x-powered-by');
  expect(headers).not.toHaveProperty('server');
  expect(headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'strict-transport-security': expect.stringMatching(/^max-age=\d{8,}/) as string,
    'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  });
  expect((await request('GET', '/docs')).headers).toMatchObject({
    'x-frame-options': 'SAMEORIGIN',
    'content-security-policy': expect.stringContaining("default-src 'self'") as string,
  });
});

describe('what never reaches a route is answered with a problem document too', () => {
  let port: number;

  beforeAll(async () => {
    await app.listen(0, '127.0.0.1');
    port = (app.getHttpServer().address() as AddressInfo).port;
  });

  it.each([
    [
      'a header that is too large',
      `GET / HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
    ],
    ['a request line that is none', 'hello\r\n\r\n', 400],
    ['an unknown method', 'BREW /v1/organizations HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    [
      'two lengths',
      'POST /v1/organizations HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}',
      400,
    ],
    ['no Host header', 'GET /v1/organizations HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['two Host headers', 'GET /v1/organizations HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n', 400],
    [
      'a second Host header after a thousand others',
      `GET /v1/organizations HTTP/1.1\r\nHost: x\r\n${'a:\r\n'.repeat(1000)}Host: y\r\n\r\n`,
      400,
    ],
    [
      'a transfer coding that is not taken',
      'GET /v1/organizations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['another expectation than 100-continue', 'GET / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n', 417],
    ['a request to a proxy', 'CONNECT example.org:80 HTTP/1.1\r\nHost: x\r\n\r\n', 400],
  ])('%s', async (_, sent, status) => {
    const socket = connect(port, '127.0.0.1');
    socket.write(sent);
    const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
    expect(head.split('\r\n')[0]).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head.toLowerCase()).toContain('content-type: application/problem+json');
    expect(JSON.parse(body.replace(/^[\da-f]+\r\n(.*)\r\n0$/s, '$1'))).toMatchObject({
      type: 'about:blank',
      status,
    });
  });

  it.each([
    ['that leads nowhere', 'GET /nothing', 404],
    ['whose route needs none', 'GET /v1/organizations', 200],
  ])('a request %s, with a body that does not end, once and no longer', async (_, line, status) => {
    const socket = connect(port, '127.0.0.1');
    socket.write(
      `${line} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n`,
    );
    const trickle = setInterval(() => socket.write(' '), 500);
    const answer = await text(socket);
    clearInterval(trickle);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer.match(/^HTTP\/1.1/gm)).toHaveLength(1);
  });

  it('headers that do not end, in time', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /v1/organizations HTTP/1.1\r\nHost: x\r\n');
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
    expect(answer).toContain('"detail":"The request did not arrive in time."');
  });

  it('a verb that HTTP knows and this path does not, with Allow', async () => {
    const response = await fetch(`http://127.0.0.1:${port}${collection}`, { method: 'PROPFIND' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD, POST');
  });

  it('a caller that is gone after a CONNECT harms nobody', async () => {
    for (let count = 0; count < 20; count += 1) {
      const socket = connect(port, '127.0.0.1');
      socket.write(
        'GET /v1/organizations HTTP/1.1\r\nHost: x\r\n\r\nCONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n',
      );
      await once(socket, 'connect');
      for (let turn = 0; turn < count; turn += 1) await setImmediate();
      socket.resetAndDestroy();
    }
    expect((await fetch(`http://127.0.0.1:${port}${collection}`)).status).toBe(200);
  });

  it('an answer reaches a caller that is still sending', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write('hello\r\n\r\n');
    const answer = text(socket);
    for (let piece = 0; piece < 20; piece += 1) {
      await setImmediate();
      socket.write('x'.repeat(10_000));
    }
    expect(await answer).toMatch(/^HTTP\/1.1 400 /);
  });
});

import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';
import { app, expectProblem, request, restart } from './support/api.js';

const ORIGIN = 'https://directory.example.org';

const preflight = (origin: string, path = '/v1/organizations') =>
  request('OPTIONS', path, undefined, {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization, content-type',
  });

const corsHeaders = (headers: object) =>
  Object.keys(headers).filter((name) => name.startsWith('access-control'));

describe('A cross-origin request', () => {
  it('gets no CORS headers by default, and its preflight returns 405', async () => {
    const { headers } = await request('GET', '/v1/organizations', undefined, { origin: ORIGIN });
    expect(corsHeaders(headers)).toEqual([]);
    expectProblem(await preflight(ORIGIN), 405);
  });

  it('is allowed from the origins in CORS_ORIGINS, with an API key and without cookies', async () => {
    await restart({ CORS_ORIGINS: `${ORIGIN}, http://127.0.0.1:8080`, REQUIRE_API_KEY: 'always' });
    const { status, headers } = await preflight(ORIGIN);
    expect(status).toBe(204);
    expect(headers).toMatchObject({
      'access-control-allow-origin': ORIGIN,
      'access-control-allow-methods': 'GET, HEAD, POST, PUT, DELETE',
      'access-control-allow-headers':
        'Authorization, baggage, Content-Type, Idempotency-Key, If-Match, If-None-Match, traceparent, tracestate, ' +
        'X-API-Key, X-Request-Id',
      vary: 'Origin',
    });
    expect(headers).not.toHaveProperty('access-control-allow-credentials');

    const response = await request('GET', '/v1/organizations', undefined, { origin: ORIGIN });
    expectProblem(response, 401);
    expect(response.headers).toMatchObject({
      'access-control-allow-origin': ORIGIN,
      'access-control-expose-headers': expect.stringContaining('Location') as string,
    });

    for (const origin of ['https://example.org', 'null', `${ORIGIN}.evil.example`, '']) {
      expect((await preflight(origin)).headers).not.toHaveProperty('access-control-allow-origin');
      const { headers } = await request('GET', '/v1/organizations', undefined, { origin });
      expect(headers).not.toHaveProperty('access-control-allow-origin');
    }
  });

  it('to a malformed URL is allowed like any other', async () => {
    for (const path of ['/v1/organizations/%zz', '/docs/%', '/%ff']) {
      const { headers: expected } = await request('GET', '/nothing', undefined, { origin: ORIGIN });
      const response = await request('GET', path, undefined, { origin: ORIGIN });
      expectProblem(response, 400, 'The URL is not valid.');
      for (const name of [...corsHeaders(expected), 'vary', 'content-security-policy']) {
        expect(response.headers[name]).toBe(expected[name]);
      }
      expect(response.headers['x-request-id']).toBe((response.body as { request_id: string }).request_id);
      expect(await preflight(ORIGIN, path)).toMatchObject({
        status: 204,
        headers: { 'access-control-allow-origin': ORIGIN },
      });
    }
  });

  it('is allowed from any origin when CORS_ORIGINS is *', async () => {
    await restart({ CORS_ORIGINS: '*' });
    expect((await preflight('https://example.org')).headers).toMatchObject({
      'access-control-allow-origin': '*',
    });
    const response = await request('GET', '/v1/organizations', undefined, { origin: 'https://example.org' });
    expect(response).toMatchObject({ status: 200, headers: { 'access-control-allow-origin': '*' } });
  });
});

describe('When CORS is enabled', () => {
  it('an unknown path still returns 404 and an unsupported method 405', async () => {
    await restart({ CORS_ORIGINS: '*' });
    expectProblem(await request('GET', '/v1/nothing'), 404);
    const response = await request('PATCH', '/v1/organizations');
    expectProblem(response, 405);
    expect(response.headers.allow).toBe('GET, HEAD, POST');
    expect((await app.inject({ method: 'OPTIONS', url: '/v1/organizations' })).statusCode).toBe(204);
  });
});

describe('A preflight request', () => {
  let port: number;

  beforeAll(async () => {
    await restart({ CORS_ORIGINS: '*' });
    await app.listen(0, '127.0.0.1');
    port = (app.getHttpServer().address() as AddressInfo).port;
  });

  it.each([
    ['two Host headers', 'Host: localhost\r\nHost: y'],
    ['no Host header', 'Accept: */*'],
    ['Transfer-Encoding: gzip, chunked', 'Host: localhost\r\nTransfer-Encoding: gzip, chunked'],
    ['an unsupported expectation', 'Host: localhost\r\nExpect: tea'],
  ])('with %s is rejected, and a request pipelined behind it is not processed', async (_, headers) => {
    const socket = connect(port, '127.0.0.1');
    socket.end(
      `OPTIONS /v1/organizations HTTP/1.1\r\n${headers}\r\nOrigin: ${ORIGIN}\r\n` +
        'Access-Control-Request-Method: POST\r\n\r\n' +
        (headers.includes('chunked') ? '0\r\n\r\n' : '') +
        'GET /v1/organizations HTTP/1.1\r\nHost: localhost\r\n\r\n',
    );
    const responses = await text(socket);
    expect(responses.match(/^HTTP\/1\.1 \d+/gm)).toEqual([expect.stringMatching(/ 4(00|17)$/)]);
    expect(responses.toLowerCase()).toContain('x-content-type-options: nosniff');
  });

  it('returns the security headers', async () => {
    const { status, headers } = await preflight(ORIGIN);
    expect(status).toBe(204);
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
  });
});

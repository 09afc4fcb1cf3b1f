import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';
import { app, expectProblem, request, restart } from './support/api.js';

const LOOPBACK_HOSTS = ['localhost', 'LocalHost:3000', '127.0.0.1', '127.1.2.3:80', '[::1]', '[::1]:65535'];

const OTHER_HOSTS = [
  'rebinding.example.org',
  'rebinding.example.org:3000',
  'localhost.example.org',
  '127.0.0.1.example.org',
  'notlocalhost',
  'localhost@example.org',
  '128.0.0.1',
  '[::2]',
  '[::1].example.org',
  '::1',
  '0.0.0.0',
];

const getFrom = (host: string, url = '/v1/organizations') => request('GET', url, undefined, { host });

/** Sends the head of a request over a connection. @returns its status */
async function sendHead(...lines: string[]): Promise<string | undefined> {
  const { port } = app.getHttpServer().address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  socket.end(`${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`);
  return /^HTTP\/1\.1 (\d+) /.exec(await text(socket))?.[1];
}

describe('On a loopback HOST, a request', () => {
  beforeAll(async () => {
    await restart({ CORS_ORIGINS: '*' });
    await app.listen(0, '127.0.0.1');
  });

  it.each(LOOPBACK_HOSTS)('for the loopback host %s is processed', async (host) => {
    expect((await getFrom(host)).status).toBe(200);
  });

  it.each(OTHER_HOSTS)('for the host "%s" returns 421, which names the setting', async (host) => {
    for (const url of ['/v1/organizations', '/docs', '/health/live', '/nothing', '/v1/%zz']) {
      expectProblem(await getFrom(host, url), 421, expect.stringContaining('ALLOWED_HOSTS'));
    }
  });

  it('for another host writes nothing and passes no preflight', async () => {
    const headers = { host: 'rebinding.example.org', 'idempotency-key': 'rebinding' };
    expectProblem(await request('POST', '/v1/organizations', { name: 'Rebinding' }, headers), 421);
    expect((await getFrom('localhost', '/v1/organizations/rebinding')).status).toBe(404);
    const preflight = await request('OPTIONS', '/v1/organizations', undefined, {
      ...headers,
      origin: 'http://rebinding.example.org',
      'access-control-request-method': 'POST',
    });
    expectProblem(preflight, 421);
    expect(preflight.headers).not.toHaveProperty('access-control-allow-origin');
  });

  it('with an empty Host header returns 421', async () => {
    expect(await sendHead('GET /v1/organizations HTTP/1.1', 'Host:')).toBe('421');
  });

  it('in HTTP/1.0 needs no Host header, but one that it has counts', async () => {
    expect(await sendHead('GET /v1/organizations HTTP/1.0')).toBe('200');
    expect(await sendHead('GET /v1/organizations HTTP/1.0', 'Host: example.org')).toBe('421');
  });

  it.each([
    ['http://example.org/v1/organizations', 'localhost', '421'],
    ['HTTPS://example.org:443/v1/organizations', 'localhost', '421'],
    ['http://example.org', 'localhost', '421'],
    ['http://localhost@example.org/v1/organizations', 'localhost', '421'],
    ['http://localhost:3000/v1/organizations?page=1', 'example.org', '200'],
    ['http://127.0.0.1/v1/organizations', '127.0.0.1', '200'],
    ['http://localhost?page=1', 'localhost', '302'],
  ])('for %s, with the Host %s, counts by the host of the URL: %s', async (target, host, status) => {
    expect(await sendHead(`GET ${target} HTTP/1.1`, `Host: ${host}`)).toBe(status);
  });
});

describe('ALLOWED_HOSTS', () => {
  const ALLOWED_HOSTS = 'phones.example.org, Example.COM,10.0.0.7,2001:DB8:0::1';

  const expectAllowed = async () => {
    const allowed = ['phones.example.org', 'PHONES.example.org:443', 'example.com', '10.0.0.7:80'];
    for (const host of [...allowed, '[2001:db8::1]:3000', ...LOOPBACK_HOSTS]) {
      expect((await getFrom(host)).status).toBe(200);
    }
    for (const host of [...OTHER_HOSTS, 'x.example.com', 'phones.example.org.', '2001:db8::1']) {
      expectProblem(await getFrom(host), 421);
    }
  };

  it('adds hosts on a loopback HOST', async () => {
    await restart({ ALLOWED_HOSTS });
    await expectAllowed();
  });

  it('applies on any other HOST once it is set', async () => {
    await restart({ HOST: '0.0.0.0', REQUIRE_API_KEY: 'never' });
    for (const host of OTHER_HOSTS) expect((await getFrom(host)).status).toBe(200);
    await restart({ HOST: '0.0.0.0', REQUIRE_API_KEY: 'never', ALLOWED_HOSTS });
    await expectAllowed();
  });
});

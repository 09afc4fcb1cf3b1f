import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';
import { app, request, restart } from './support/api.js';

const LINKS = '/v1/organizations?page=1&per_page=100';

/** The places in responses that lead to another path, for a request with this `X-Forwarded-Prefix`. */
async function links(prefix: string) {
  const headers = { 'x-forwarded-prefix': prefix };
  const { headers: created } = await request('POST', '/v1/organizations', { name: 'Harbor' }, headers);
  const { headers: listed } = await request('GET', LINKS, undefined, headers);
  const { headers: root } = await request('GET', '/', undefined, headers);
  const [json, yaml, script] = await Promise.all(
    ['/docs-json', '/docs-yaml', '/docs/swagger-ui-init.js'].map((url) =>
      request('GET', url, undefined, headers),
    ),
  );
  return {
    location: String(created.location).replace(/\d+$/, ':id'),
    link: /<(.*?)>; rel="first"/.exec(String(listed.link))?.[1],
    root: root.location,
    json: (json?.body as { servers: unknown }).servers,
    yaml: /^servers:\n {2}- url: (.*)\n/m.exec(String(yaml?.body))?.[1],
    script: /"servers": \[\s*\{\s*"url": "(.*?)"/.exec(String(script?.body))?.[1],
  };
}

const WITHOUT_PREFIX = {
  location: '/v1/organizations/:id',
  link: LINKS,
  root: 'docs',
  json: [{ url: '/' }],
  yaml: '/',
  script: '/',
};

const withPrefix = (prefix: string) => ({
  location: `${prefix}/v1/organizations/:id`,
  link: prefix + LINKS,
  root: `${prefix}/docs`,
  json: [{ url: prefix }],
  yaml: prefix,
  script: prefix,
});

describe('X-Forwarded-Prefix', () => {
  it('is ignored by default', async () => {
    expect(await links('/phones')).toEqual(WITHOUT_PREFIX);
  });

  it('is ignored if the client is not a proxy in TRUST_PROXY', async () => {
    await restart({ TRUST_PROXY: '10.0.0.0/8' });
    expect(await links('/phones')).toEqual(WITHOUT_PREFIX);
  });

  describe('from a trusted proxy', () => {
    beforeAll(() => restart({ TRUST_PROXY: '10.0.0.0/8, loopback' }));

    it.each([
      ['/phones', '/phones'],
      ['/phones/', '/phones'],
      ['/a/b-c_d.e~1', '/a/b-c_d.e~1'],
      ['/from-the-client, /phones', '/phones'],
    ])('is put in front of all paths in responses: %s', async (header, prefix) => {
      expect(await links(header)).toEqual(withPrefix(prefix));
    });

    it.each([
      '',
      '/',
      'phones',
      '//example.org',
      '/phones//x',
      'https://example.org/phones',
      '/phones/../x',
      '/.',
      '/a b',
      '/a?b',
      '/a#b',
      '/%2f',
      '/a>;rel="x"',
      '/a\\b',
      '/$&',
      `/${'x'.repeat(255)}`,
    ])('is ignored if it is not a path of plain segments: %s', async (header) => {
      expect(await links(header)).toEqual(WITHOUT_PREFIX);
    });
  });
});

describe('A request with an absolute URL', () => {
  it('has only paths in Link and Location, whatever its host is', async () => {
    await restart({ ALLOWED_HOSTS: 'example.org' });
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    const send = async (method: string, target: string, body: string) => {
      const socket = connect(port, '127.0.0.1');
      socket.end(
        `${method} http://example.org${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n` +
          `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      return text(socket);
    };
    expect(await send('POST', '/v1/organizations', '{"name":"Harbor"}')).toMatch(
      /\r\nlocation: \/v1\/organizations\/\d+\r\n/i,
    );
    expect(await send('GET', LINKS, '')).toContain(`<${LINKS}>; rel="first"`);
  });
});

import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { createApiKey } from '../src/auth/api-key.js';
import { ADMIN_API_KEY, databaseSettings } from './support/database.js';
import { send, Service } from './support/service.js';

it('an API key appears in no log line and no response, however it is sent', async () => {
  const service = new Service({ ...databaseSettings(), REQUIRE_API_KEY: 'always', LOG_LEVEL: 'trace' });
  const api = await service.listening();
  const asAdmin = { authorization: `Bearer ${ADMIN_API_KEY}` };
  const { body: client } = await send<{ key: string }>('POST', `${api}/clients`, { name: 'X' }, asAdmin);
  const keys = [ADMIN_API_KEY, client.key, createApiKey(), client.key.slice(0, -1)];

  const responses: string[] = [];
  for (const key of keys) {
    for (const [headers, query] of [
      [{ authorization: `Bearer ${key}` }, ''],
      [{ 'x-api-key': key }, ''],
      [{}, `?api_key=${key}`],
      [{}, `?page=x&api_key=${key}`],
    ] as [Record<string, string>, string][]) {
      for (const [method, path, body] of [
        ['GET', '/organizations'],
        ['POST', '/organizations', '{"name":1}'],
        ['POST', '/organizations', `{"name":"${key}${key}${key}${key}","note":"${key}"}`],
        ['POST', '/organizations', 'no JSON'],
        ['POST', '/organizations', '{"name":"X"}'],
        ['PATCH', '/organizations'],
        ['GET', '/nothing-here'],
        ['GET', '/organizations/%zz'],
        ['GET', '/organizations/1/phones'],
        ['PUT', '/clients/1', '{}'],
      ] as [string, string, string?][]) {
        const response = await fetch(api + path + query, {
          method,
          headers: { ...headers, 'content-type': 'application/json' },
          body,
        });
        responses.push(JSON.stringify([...response.headers]) + (await response.text()));
      }
    }
    // Node.js cannot parse this request.
    const { hostname, port } = new URL(api);
    const socket = connect(Number(port), hostname);
    socket.write(`GET /v1/organizations?api_key=${key} HTTP/1.1\r\nHost: x\r\nX-API-Key ${key}\r\n\r\n`);
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    responses.push(chunk.toString());
    socket.destroy();
  }
  const { output } = await service.end('SIGTERM');
  expect(output.length).toBeGreaterThan(2);
  for (const key of keys) {
    expect(output.join('\n')).not.toContain(key);
    expect(responses.join('\n')).not.toContain(key);
  }
});

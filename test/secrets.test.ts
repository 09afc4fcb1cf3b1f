import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import dataSource from '../ormconfig.js';
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
    socket.write(
      `GET /v1/organizations?api_key=${key} HTTP/1.1\r\nHost: localhost\r\nX-API-Key ${key}\r\n\r\n`,
    );
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

it('a logged error does not repeat what the request contained', async () => {
  await dataSource.initialize();
  await dataSource.runMigrations();
  // The detail of this error contains the row, and the message of the next one the value.
  await dataSource.query(`ALTER TABLE organizations ADD CONSTRAINT ck_test CHECK (name NOT LIKE '%hidden%')`);
  await dataSource.query(`
    CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'invalid input syntax: "%"', NEW.digits USING ERRCODE = '22007', DETAIL = NEW.digits;
      END
    $$`);
  await dataSource.query('CREATE TRIGGER fail BEFORE INSERT ON phones FOR EACH ROW EXECUTE FUNCTION fail()');
  await dataSource.destroy();

  const service = new Service();
  const api = await service.listening();
  const { body: organization } = await send<{ id: number }>('POST', `${api}/organizations`, {
    name: 'Harbor',
  });
  const path = `${api}/organizations/${organization.id}`;
  expect(await send('PUT', path, { name: 'a hidden name' })).toMatchObject({ status: 500 });
  expect(await send('POST', `${path}/phones`, { digits: 'a hidden 211' })).toMatchObject({ status: 500 });
  const { output } = await service.end('SIGTERM');
  const logged = output.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ err }) => err);
  expect(logged).toMatchObject([
    { status: 500, err: { code: '23514', table: 'organizations', constraint: 'ck_test' } },
    {
      status: 500,
      msg: 'POST /v1/organizations/:organization_id/phones returned 500: invalid input syntax: "…"',
      err: { code: '22007', message: 'invalid input syntax: "…"' },
    },
  ]);
  expect(output.join('\n')).not.toContain('hidden');
});

import { connect, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';
import { app, expectProblem, request } from './support/api.js';
import { settingsBeside, SERVER } from './support/database.js';
import { send, Service } from './support/service.js';

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

describe('X-Request-Id', () => {
  let port: number;

  beforeAll(async () => {
    await app.listen(0, '127.0.0.1');
    port = (app.getHttpServer().address() as AddressInfo).port;
  });

  it.each(['a', 'trace 7f0c:1', 'x'.repeat(128)])('of the request is returned: %j', async (id) => {
    const { headers } = await request('GET', '/v1/organizations', undefined, { 'x-request-id': id });
    expect(headers['x-request-id']).toBe(id);
  });

  it.each(['', 'x'.repeat(129), 'é', 'a\tb'])('is a new ID if that of the request is %j', async (id) => {
    const { headers } = await request('GET', '/v1/organizations', undefined, { 'x-request-id': id });
    expect(headers['x-request-id']).toMatch(UUID);
  });

  it.each([
    ['a list', 'GET', '/v1/organizations', 200],
    ['Swagger UI', 'GET', '/docs', 200],
    ['a health check', 'GET', '/health/live', 200],
    ['an unknown path', 'GET', '/nothing', 404],
    ['an unsupported method', 'DELETE', '/v1/organizations', 405],
    ['an invalid body', 'POST', '/v1/organizations', 400],
    ['a malformed URL', 'GET', '/v1/%zz', 400],
    ['a URL that is too long', 'GET', `/${'x'.repeat(9000)}`, 414],
  ] as const)('is in the response to %s, and in its problem details', async (_, method, url, status) => {
    const response = await request(method, url);
    expect(response.status).toBe(status);
    expect(response.headers['x-request-id']).toMatch(UUID);
    if (status === 200) return;
    expectProblem(response, status);
    expect(response.body).toMatchObject({ request_id: response.headers['x-request-id'] });
  });

  it('is in the problem details of a failed precondition', async () => {
    const response = await request('GET', '/v1/organizations', undefined, { 'if-match': '"x"' });
    expectProblem(response, 412);
    expect(response.body).toMatchObject({ request_id: response.headers['x-request-id'] });
  });

  it.each([
    ['CONNECT', 'CONNECT x:1 HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: abc\r\n\r\n'],
    [
      'a malformed chunk',
      'POST /v1/organizations HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: abc\r\nContent-Type: application/json\r\n' +
        'Transfer-Encoding: chunked\r\n\r\nhello\r\n\r\n',
    ],
  ])('of the request is in the response to %s', async (_, bytes) => {
    const socket = connect(port, '127.0.0.1');
    socket.end(bytes);
    const response = await text(socket);
    expect(response).toMatch(/^X-Request-Id: abc\r$/m);
    expect(response).toContain('"request_id":"abc"');
  });

  it('is in the response to what is not valid HTTP', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.end('hello\r\n\r\n');
    const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
    const [, id] = /^X-Request-Id: (.*)$/m.exec(head) ?? [];
    expect(id).toMatch(UUID);
    expect(JSON.parse(body)).toMatchObject({ status: 400, request_id: id });
  });
});

describe.skipIf(SERVER === undefined)('A logged error', () => {
  it('has the method, the route, the status, the ID of the request and the reason', async () => {
    const service = new Service({ ...(await settingsBeside()), DATABASE_LOCK_TIMEOUT: '100' });
    const api = await service.listening();
    const dataSource = (await import('../ormconfig.js')).default;
    await dataSource.transaction(async (manager) => {
      await manager.query('LOCK TABLE organizations, migrations');
      const headers = { 'x-request-id': 'quoted by a client' };
      expectProblem(await send('GET', `${api}/organizations/7`, undefined, headers), 503);
      expectProblem(await send('GET', new URL('/health/ready', api).href), 503);
    });
    await dataSource.query(`
      CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'rejected' USING ERRCODE = NEW.name; END
      $$;
      CREATE TRIGGER fail BEFORE INSERT ON organizations FOR EACH ROW EXECUTE FUNCTION fail()`);
    expectProblem(await send('POST', `${api}/organizations`, { name: 'disk_full' }), 503);
    expectProblem(await send('POST', `${api}/organizations`, { name: 'invalid_text_representation' }), 400);
    await dataSource.query('DROP FUNCTION fail CASCADE');
    const { output } = await service.end('SIGTERM');
    const logged = output
      .map((line) => JSON.parse(line) as { level: number })
      .filter(({ level }) => level > 30);
    const lockTimeout = 'canceling statement due to lock timeout';
    expect(logged).toMatchObject([
      {
        level: 40,
        method: 'GET',
        route: '/v1/organizations/:organization_id',
        status: 503,
        request_id: 'quoted by a client',
        context: 'ProblemDetailsFilter',
        msg: `GET /v1/organizations/:organization_id returned 503: ${lockTimeout}`,
      },
      { level: 40, msg: `GET /health/ready returned 503: ${lockTimeout}` },
      { level: 50, status: 503, msg: 'POST /v1/organizations returned 503: rejected' },
      { level: 40, status: 400, msg: 'POST /v1/organizations returned 400: rejected' },
    ]);
  });
});

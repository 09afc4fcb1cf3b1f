import { once } from 'node:events';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { basename } from 'node:path';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import dataSource from '../ormconfig.js';
import { app, type ApiResponse, expectProblem, request, restart } from './support/api.js';
import { settingsBeside } from './support/database.js';
import { createOrganization } from './support/owners.js';
import { send, Service } from './support/service.js';

/** More requests than the service handles concurrently. */
const TOO_MANY = 1001;

/** The longest that a request may take, in milliseconds. */
const REQUEST_TIMEOUT = 60_000;

/** How many slots stay free while uploads occupy the others. */
const FREE_SLOTS = 50;

interface Result {
  status: number;
  retryAfter?: string;
  seconds: number;
}

function getWithAgent(agent: Agent, url: string): Promise<Result> {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      const { statusCode: status = 0, headers } = response;
      response.resume().on('end', () => {
        resolve({ status, retryAfter: headers['retry-after'], seconds: (performance.now() - start) / 1000 });
      });
    }).on('error', reject);
  });
}

/** Starts a request whose body never arrives, so that it occupies a slot. */
async function startUpload(api: URL): Promise<Socket> {
  const socket = connect(Number(api.port), api.hostname);
  await once(socket, 'connect');
  socket.write(
    'POST /v1/organizations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{',
  );
  return socket;
}

/** How long to wait for what takes a few seconds. */
const WAIT = { timeout: 60_000 };

/** A file of Swagger UI. */
const BUNDLE = '/docs/swagger-ui-bundle.js';

/** Sends a request and waits until its response begins, but reads no more of it than Node.js does by itself. */
async function getWithoutReading(port: number, path: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  await once(socket, 'readable');
  return socket;
}

/** How often this process has the file of the bundle open: once for each response with it that is in progress. */
async function countOpenBundles(): Promise<number> {
  const descriptors = await readdir('/proc/self/fd');
  const paths = await Promise.all(
    descriptors.map((descriptor) => readlink(`/proc/self/fd/${descriptor}`).catch(() => '')),
  );
  return paths.filter((path) => path.endsWith(basename(BUNDLE))).length;
}

describe('While all slots are occupied', () => {
  it('other requests return 503 with Retry-After, and GET /health/live returns 200', async () => {
    const service = new Service({ ...(await settingsBeside()), CORS_ORIGINS: '*' });
    const api = new URL(await service.listening());
    const uploads = await Promise.all(Array.from({ length: TOO_MANY }, () => startUpload(api)));
    let response: ApiResponse;
    do response = await send('GET', `${api.href}/organizations`);
    while (response.status === 200);
    expectProblem(response, 503, 'The service is overloaded. Retry later.');
    expect(response.headers['retry-after']).toBe('1');
    const preflight = { origin: 'https://example.org', 'access-control-request-method': 'POST' };
    expectProblem(await send('OPTIONS', `${api.href}/organizations`, undefined, preflight), 503);
    expect((await send('GET', new URL('/health/live', api).href)).status).toBe(200);

    for (const upload of uploads) upload.destroy();
    while ((await send('GET', `${api.href}/organizations`)).status !== 200);
  });

  it('a request with an unsupported Transfer-Encoding returns 400, and nothing after it is handled', async () => {
    const service = new Service(await settingsBeside());
    const api = new URL(await service.listening());
    const uploads = await Promise.all(Array.from({ length: TOO_MANY }, () => startUpload(api)));
    while ((await send('GET', `${api.href}/organizations`)).status === 200);
    const socket = connect(Number(api.port), api.hostname);
    socket.write(
      'GET /v1/organizations HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n' +
        'GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n',
    );
    const responses = await text(socket);
    expect(responses.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 400']);
    for (const upload of uploads) upload.destroy();
  });

  it('accepted requests are handled in time, and memory stays bounded', async () => {
    const service = new Service({ ...(await settingsBeside()), REQUEST_TIMEOUT: String(REQUEST_TIMEOUT) });
    const api = await service.listening();
    const { body: organization } = await send<{ id: number }>('POST', `${api}/organizations`, {
      name: 'Harbor',
    });
    const url = `${api}/organizations/${organization.id}/phones`;
    // Ten times as many clients as there are free slots compete for them.
    const uploads = await Promise.all(
      Array.from({ length: TOO_MANY - 1 - FREE_SLOTS }, () => startUpload(new URL(api))),
    );
    // A connection sends one request at a time, so `maxSockets` is the number of concurrent requests.
    const agent = new Agent({ keepAlive: true, maxSockets: 10 * FREE_SLOTS });
    const results = await Promise.all(Array.from({ length: 4 * TOO_MANY }, () => getWithAgent(agent, url)));
    agent.destroy();
    for (const upload of uploads) upload.destroy();

    expect(new Set(results.map(({ status }) => status))).toEqual(new Set([200, 503]));
    const served = results.filter(({ status }) => status === 200);
    expect(served.length).toBeGreaterThan(0);
    expect(Math.max(...served.map(({ seconds }) => seconds))).toBeLessThan(REQUEST_TIMEOUT / 1000 + 5);
    for (const { status, retryAfter } of results) if (status === 503) expect(retryAfter).toMatch(/^[15]$/);
    while ((await send('GET', url)).status !== 200);
    const [, kilobytes] =
      /VmHWM:\s*(\d+) kB/.exec(await readFile(`/proc/${service.pid}/status`, 'utf8')) ?? [];
    expect(Number(kilobytes) / 1024).toBeLessThan(1024);
  });
});

describe('While the event loop is blocked', () => {
  it('requests return 503 with Retry-After, and GET /health/live returns 200', async () => {
    let response: ApiResponse;
    do {
      for (let task = 0; task < 3; task += 1) {
        for (const start = performance.now(); performance.now() < start + 700;);
        await setImmediate();
      }
      response = await request('GET', '/v1/organizations');
    } while (response.status === 200);
    expectProblem(response, 503, 'The service is overloaded. Retry later.');
    expect(response.headers['retry-after']).toBe('1');
    expect((await request('GET', '/health/live')).status).toBe(200);
    while ((await request('GET', '/v1/organizations')).status !== 200) await setImmediate();
  });
});

describe('Responses that their clients do not read', () => {
  /** A list that is larger than what the operating system buffers for a connection, and its size in bytes. */
  let list: string;
  let size: number;

  let port: number;
  let countConnections: () => Promise<number>;

  async function listen(): Promise<void> {
    await app.listen(0, '127.0.0.1');
    const server = app.getHttpServer();
    port = (server.address() as AddressInfo).port;
    countConnections = promisify(server.getConnections.bind(server));
  }

  beforeAll(async () => {
    await listen();
    const { id } = await createOrganization();
    await dataSource.query(
      `INSERT INTO phones (owner_type, owner_id, digits, phone_type, is_primary)
       SELECT 'organization', $1, repeat('1', 255), repeat('x', 255), false FROM generate_series(1, 9000)`,
      [id],
    );
    list = `/v1/organizations/${id}/phones`;
    size = JSON.stringify((await request('GET', list)).body).length;
  });

  it('occupy no slots', async () => {
    const api = new URL(`http://127.0.0.1:${port}`);
    const uploads = await Promise.all(Array.from({ length: TOO_MANY - 6 }, () => startUpload(api)));
    const unread: Socket[] = [];
    // Each of them takes one of the remaining slots at first.
    while (unread.length < 10) {
      await vi.waitFor(async () => {
        expect((await request('GET', list)).status).toBe(200);
      }, WAIT);
      unread.push(await getWithoutReading(port, list));
    }
    for (const path of ['/health/ready', '/v1/organizations']) {
      await vi.waitFor(async () => {
        expect((await request('GET', path)).status).toBe(200);
      }, WAIT);
    }
    for (const socket of unread) expect((await text(socket)).length).toBeGreaterThan(size);
    for (const upload of uploads) upload.destroy();
  });

  it('are destroyed, the largest and oldest first, when they take too much memory', async () => {
    const limit = Math.floor((64 * 1024 * 1024) / size);
    while ((await countConnections()) > 0) await setImmediate();
    const small = await getWithoutReading(port, BUNDLE);
    const lists: Socket[] = [];
    while (lists.length < limit + 5) lists.push(await getWithoutReading(port, list));
    while ((await countConnections()) > limit + 1) await setImmediate();
    expect(await countConnections()).toBeGreaterThan(limit / 2);
    // The others get their whole response as soon as they read.
    for (const socket of [small, ...lists.slice(-limit / 2)]) {
      expect((await text(socket)).length).toBeGreaterThan(socket === small ? 1e6 : size);
    }
    expect((await text(lists[0] ?? small)).length).toBeLessThan(size);
    for (const socket of lists) socket.destroy();
  });

  it('are destroyed some seconds after REQUEST_TIMEOUT, and leave no file open', async () => {
    await restart({ REQUEST_TIMEOUT: '5000' });
    await listen();
    const unread = await getWithoutReading(port, list);
    const files: Socket[] = [];
    while ((await countOpenBundles()) === 0) files.push(await getWithoutReading(port, BUNDLE));
    await vi.waitFor(async () => {
      expect([await countConnections(), await countOpenBundles()]).toEqual([0, 0]);
    }, WAIT);
    expect((await text(unread)).length).toBeLessThan(size);
    for (const socket of files) socket.destroy();
  });
});

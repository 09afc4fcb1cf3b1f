import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type ApiResponse, expectProblem, request } from './support/api.js';
import { settingsBeside } from './support/database.js';
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
    'POST /v1/organizations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{',
  );
  return socket;
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
      'GET /v1/organizations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n' +
        'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n',
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

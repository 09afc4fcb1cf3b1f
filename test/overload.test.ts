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

/** More than the service serves at once. */
const MANY = 1001;

/** How many requests are still let in while others wait for their bodies. */
const FREE_PLACES = 50;

interface Outcome {
  status: number;
  retryAfter?: string;
  seconds: number;
}

function fetchOver(agent: Agent, url: string): Promise<Outcome> {
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

async function startUpload(api: URL): Promise<Socket> {
  const socket = connect(Number(api.port), api.hostname);
  await once(socket, 'connect');
  socket.write(
    'POST /v1/organizations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{',
  );
  return socket;
}

describe('while more requests are under way than can be served', () => {
  it('others are answered 503 and told when to try again, and the process counts as alive', async () => {
    const service = new Service({ ...(await settingsBeside()), CORS_ORIGINS: '*' });
    const api = new URL(await service.listening());
    const uploads = await Promise.all(Array.from({ length: MANY }, () => startUpload(api)));
    let refused: ApiResponse;
    do refused = await send('GET', `${api.href}/organizations`);
    while (refused.status === 200);
    expectProblem(refused, 503, 'The service is overloaded. Retry later.');
    expect(refused.headers['retry-after']).toBe('1');
    const preflight = { origin: 'https://example.org', 'access-control-request-method': 'POST' };
    expectProblem(await send('OPTIONS', `${api.href}/organizations`, undefined, preflight), 503);
    expect((await send('GET', new URL('/health/live', api).href)).status).toBe(200);

    for (const upload of uploads) upload.destroy();
    while ((await send('GET', `${api.href}/organizations`)).status !== 200);
  });

  it('nothing is done behind a request whose head is not clear, and its connection is closed', async () => {
    const service = new Service(await settingsBeside());
    const api = new URL(await service.listening());
    const uploads = await Promise.all(Array.from({ length: MANY }, () => startUpload(api)));
    while ((await send('GET', `${api.href}/organizations`)).status === 200);
    const socket = connect(Number(api.port), api.hostname);
    socket.write(
      'GET /v1/organizations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n' +
        'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n',
    );
    const answers = await text(socket);
    expect(answers.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 400']);
    for (const upload of uploads) upload.destroy();
  });

  it('those that are let in are answered in time, and the memory has a bound', async () => {
    const service = new Service({ ...(await settingsBeside()), REQUEST_TIMEOUT: '30000' });
    const api = await service.listening();
    const { body: organization } = await send<{ id: number }>('POST', `${api}/organizations`, {
      name: 'Harbor',
    });
    const url = `${api}/organizations/${organization.id}/phones`;
    // All places but a few are taken, and ten times as many callers as are left want one.
    const uploads = await Promise.all(
      Array.from({ length: MANY - 1 - FREE_PLACES }, () => startUpload(new URL(api))),
    );
    // Each connection brings one request after the other, so as many are under way as there are connections.
    const agent = new Agent({ keepAlive: true, maxSockets: 10 * FREE_PLACES });
    const outcomes = await Promise.all(Array.from({ length: 4 * MANY }, () => fetchOver(agent, url)));
    agent.destroy();
    for (const upload of uploads) upload.destroy();

    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set([200, 503]));
    const served = outcomes.filter(({ status }) => status === 200);
    expect(served.length).toBeGreaterThan(0);
    expect(Math.max(...served.map(({ seconds }) => seconds))).toBeLessThan(5);
    for (const { status, retryAfter } of outcomes) if (status === 503) expect(retryAfter).toMatch(/^[15]$/);
    while ((await send('GET', url)).status !== 200);
    const [, kilobytes] =
      /VmHWM:\s*(\d+) kB/.exec(await readFile(`/proc/${service.pid}/status`, 'utf8')) ?? [];
    expect(Number(kilobytes) / 1024).toBeLessThan(1024);
  });
});

describe('while the event loop is late', () => {
  it('requests are answered 503 and told when to try again, and the process counts as alive', async () => {
    let answer: ApiResponse;
    do {
      for (let task = 0; task < 3; task += 1) {
        for (const start = performance.now(); performance.now() < start + 700;);
        await setImmediate();
      }
      answer = await request('GET', '/v1/organizations');
    } while (answer.status === 200);
    expectProblem(answer, 503, 'The service is overloaded. Retry later.');
    expect(answer.headers['retry-after']).toBe('1');
    expect((await request('GET', '/health/live')).status).toBe(200);
    while ((await request('GET', '/v1/organizations')).status !== 200) await setImmediate();
  });
});

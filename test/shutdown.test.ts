import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { databaseSettings, SERVER } from './support/database.js';
import { send, Service } from './support/service.js';

const BODY = JSON.stringify({ name: 'Last Call' });

/** Sends the head of a request and a part of its body, and waits until the service has received them. */
async function startUpload(api: URL): Promise<Socket> {
  const socket = connect(Number(api.port), api.hostname);
  await once(socket, 'connect');
  socket.write(
    `POST /v1/organizations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n`,
  );
  socket.write(BODY.slice(0, 5));
  await send('GET', new URL('/health/live', api).href);
  return socket;
}

/** Waits until the service refuses connections because it is shutting down. */
async function waitForShutdown(api: URL): Promise<void> {
  const accepts = () =>
    fetch(new URL('/health/live', api)).then(
      () => true,
      () => false,
    );
  while (await accepts());
}

describe('On SIGTERM, the service', () => {
  it('completes the requests in progress and exits with code 0', async () => {
    const service = new Service();
    const api = new URL(await service.listening());
    const socket = await startUpload(api);
    const ended = service.end('SIGTERM');
    await waitForShutdown(api);
    socket.write(BODY.slice(5));
    expect(await text(socket)).toMatch(/^HTTP\/1.1 201 .*\r\nconnection: close\r\n/is);
    expect((await ended).code).toBe(0);
  });

  it('exits even if a request never arrives completely', async () => {
    const service = new Service({ ...databaseSettings(), REQUEST_TIMEOUT: '1000' });
    const api = new URL(await service.listening());
    const incomplete = connect(Number(api.port), api.hostname);
    incomplete.write('GET /v1/organizations HTTP/1.1\r\n');
    const upload = await startUpload(api);
    const ended = service.end('SIGTERM');
    expect(await text(upload)).toMatch(/^HTTP\/1.1 408 /);
    expect((await ended).code).toBe(0);
    incomplete.destroy();
  });

  it('closes the embedded database', { skip: SERVER !== undefined }, async () => {
    const sockets = () =>
      readdirSync(databaseSettings().DATA_DIR ?? '').filter((name) => name !== 'postgresql');
    const service = new Service();
    await service.listening();
    expect(sockets()).toEqual(['.s.PGSQL.5432', 'lock.1']);
    expect((await service.end('SIGTERM')).code).toBe(0);
    expect(sockets()).toEqual([]);
  });
});

it.each<[NodeJS.Signals, NodeJS.Signals]>([
  ['SIGTERM', 'SIGTERM'],
  ['SIGINT', 'SIGTERM'],
])('a second signal ends the service immediately: %s, then %s', async (first, second) => {
  const service = new Service({ ...databaseSettings(), REQUEST_TIMEOUT: '60000' });
  const api = new URL(await service.listening());
  const socket = await startUpload(api);
  const ended = service.end(first);
  await waitForShutdown(api);
  // Within a second, a signal counts as a repetition of the first one.
  const timer = setInterval(() => void service.end(second), 200);
  const { code, signal } = await ended;
  clearInterval(timer);
  expect({ code, signal }).toEqual({ code: 1, signal: null });
  socket.destroy();
});

import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { Pool } from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import dataSource from '../ormconfig.js';
import { createHttpServer } from '../src/server/http-server.js';
import { app } from './support/api.js';

let port: number;

beforeAll(async () => {
  await app.listen(0, '127.0.0.1');
  port = (app.getHttpServer().address() as AddressInfo).port;
});

const LIST = 'GET /v1/organizations HTTP/1.1\r\nHost: localhost\r\n\r\n';

function create(name: string, ...headers: string[]): string {
  const body = JSON.stringify({ name });
  const lines = ['POST /v1/organizations HTTP/1.1', 'Host: localhost', ...headers];
  return [...lines, 'Content-Type: application/json', `Content-Length: ${body.length}`, '', body].join(
    '\r\n',
  );
}

async function exchange(sent: string): Promise<string[]> {
  const socket = connect(port, '127.0.0.1');
  socket.end(sent);
  return statuses(await text(socket));
}

function statuses(responses: string): string[] {
  return [...responses.matchAll(/HTTP\/1.1 (\d+) /g)].map(([, status = '']) => status);
}

async function countNamed(name: string): Promise<number> {
  return (await dataSource.query<unknown[]>('SELECT FROM organizations WHERE name = $1', [name])).length;
}

describe('A request pipelined behind one that is in progress', () => {
  it('is not processed, and the connection closes after the response in progress', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.end(create('In progress') + create('Pipelined') + LIST);
    const responses = await text(socket);
    expect(statuses(responses)).toEqual(['201']);
    expect(responses.toLowerCase()).toContain('connection: close');
    expect([await countNamed('In progress'), await countNamed('Pipelined')]).toEqual([1, 0]);
  });

  it('is not processed either when the response in progress has begun', async () => {
    const urls: string[] = [];
    const server = createHttpServer(({ url = '' }, response) => {
      urls.push(url);
      response.write('begun');
      if (urls.length === 1) finish = () => response.end();
    }, 1000);
    let finish: () => void = () => undefined;
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.write('GET /first HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket, 'readable');
    socket.write('GET /pipelined HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(server, 'request');
    finish();
    expect(statuses(await text(socket))).toEqual(['200']);
    expect(urls).toEqual(['/first']);
    server.close();
  });

  it('is processed if the response before it was complete at once', async () => {
    const tooLong = `GET /${'x'.repeat(9000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    expect(await exchange(tooLong + create('Behind a complete response'))).toEqual(['414', '201']);
  });

  it.each([
    ['is not valid HTTP', 'hello\r\n\r\n'],
    ['has an ambiguous head', 'GET / HTTP/1.1\r\nHost: localhost\r\nHost: y\r\n\r\n'],
    [
      'has a malformed body',
      'POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n\r\n',
    ],
  ])('gets no response when it %s', async (_, pipelined) => {
    expect(await exchange(create('Before a malformed request') + pipelined)).toEqual(['201']);
  });

  it('costs no memory, however many there are', async () => {
    const before = process.memoryUsage().heapUsed;
    const pool = app.get(Pool);
    const clients = await Promise.all(Array.from({ length: pool.options.max }, () => pool.connect()));
    const socket = connect(port, '127.0.0.1');
    socket.end(LIST.repeat(200_000));
    await once(socket, 'connect');
    for (const client of clients) client.release();
    expect(statuses(await text(socket))).toEqual(['200']);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100e6);
  });
});

describe('Requests that a client sends one after another', () => {
  it('are all processed on one connection', async () => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    let sent = 1;
    socket.setEncoding('latin1').on('data', (data: string) => {
      received += data;
      if (!received.endsWith(']')) return;
      if (sent === 100) socket.end();
      else socket.write(LIST);
      sent += 1;
    });
    socket.write(LIST);
    await once(socket, 'close');
    expect(statuses(received)).toEqual(Array.from({ length: 100 }, () => '200'));
  });
});

describe('A request behind a response that closes the connection', () => {
  it('is not processed', async () => {
    expect(await exchange(create('Last', 'Connection: close') + create('Behind the last'))).toEqual(['201']);
    expect([await countNamed('Last'), await countNamed('Behind the last')]).toEqual([1, 0]);
  });

  it.each([
    ['is too large', `Host: localhost\r\nContent-Length: 70000\r\n\r\n${'x'.repeat(70_000)}`],
    ['has no Host header', 'Content-Length: 0\r\n\r\n'],
  ])('is not processed, also when it arrives later, if the one before %s', async (reason, rest) => {
    for (let count = 0; count < 10; count += 1) {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      socket.write(`POST /v1/organizations HTTP/1.1\r\nContent-Type: application/json\r\n${rest}`);
      const responses = text(socket);
      await once(socket, 'readable');
      socket.write(create(`Behind one that ${reason}`));
      expect(statuses(await responses)).toHaveLength(1);
    }
    expect(await countNamed(`Behind one that ${reason}`)).toBe(0);
  });

  it.each([
    ['a malformed URL', 'GET /v1/% HTTP/1.1'],
    ['a body that is not valid JSON', 'POST /v1/organizations HTTP/1.1\r\nContent-Type: application/json'],
  ])('gets no response if the one before has %s', async (_, start) => {
    const socket = connect(port, '127.0.0.1');
    socket.write(`${start}\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{]hello\r\n\r\n`);
    expect(statuses(await text(socket))).toEqual(['400']);
  });
});

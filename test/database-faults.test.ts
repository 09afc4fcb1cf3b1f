import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ApiResponse, expectProblem } from './support/api.js';
import { SERVER } from './support/database.js';
import type { Phone } from './support/owners.js';
import { PostgresqlServer } from './support/postgresql.js';
import { send, Service } from './support/service.js';
import { TcpProxy } from './support/tcp-proxy.js';

/** The number of connections in the pool of the service. */
const POOL_SIZE = 4;

/** The time within which every request must get a response, in milliseconds. */
const MAX_RESPONSE_TIME = 5000;

const IS_SERVICE_CONNECTION = `application_name = 'phones-service'`;

let server: PostgresqlServer;
let proxy: TcpProxy;
let service: Service;
let origin: string;
let owner: string;
let phone: Phone;

/** Sends a request, and throws if the response takes longer than MAX_RESPONSE_TIME. */
function request<Body>(
  method: string,
  path: string,
  body?: object,
  headers = {},
): Promise<ApiResponse<Body>> {
  return send(method, new URL(path, origin).href, body, headers, AbortSignal.timeout(MAX_RESPONSE_TIME));
}

function expectUnavailable(response: ApiResponse): void {
  expectProblem(response, 503);
  expect(response.headers['retry-after']).toMatch(/^[1-9]\d*$/);
}

const phoneReads = (): [string, string][] => [
  ['GET', `${owner}/phones`],
  ['GET', `${owner}/phones/${phone.id}`],
];
const phoneWrites = (): [string, string, object?][] => [
  ['POST', `${owner}/phones`, { digits: '211' }],
  ['PUT', `${owner}/phones/${phone.id}`, { phone_type: 'fax' }],
  ['DELETE', `${owner}/phones/2000000000`],
];
const organizationRequests = (): [string, string, object?][] => [
  ['GET', '/v1/organizations'],
  ['POST', '/v1/organizations', { name: 'Harbor' }],
  ['PUT', owner, { name: 'Harbor' }],
];

/** Expects 503 from more requests than the pool has connections, while the service stays live. */
async function expectOutage(): Promise<void> {
  const requests = [...phoneReads(), ...phoneWrites(), ...organizationRequests()];
  const responses = await Promise.all(
    [...requests, ...requests].map(([method, path, body]) => request(method, path, body)),
  );
  for (const response of responses) expectUnavailable(response);
  expect(await request('GET', '/health/live')).toMatchObject({ status: 200 });
  expectUnavailable(await request('GET', '/health/ready'));
}

/** Expects the first read, the first write and the whole pool to work. */
async function expectRecovery(): Promise<void> {
  expect(await request('GET', `${owner}/phones/${phone.id}`)).toMatchObject({
    status: 200,
    body: { id: phone.id },
  });
  expect(await request('POST', `${owner}/phones`, { digits: '311' })).toMatchObject({ status: 201 });
  expect(await request('GET', '/health/ready')).toMatchObject({ status: 200 });
  await expectAllConnectionsUsable();
}

/** Expects that every connection of the pool can run a statement at the same time, and is idle afterwards. */
async function expectAllConnectionsUsable(): Promise<void> {
  const blocker = await server.connect();
  await blocker.query('BEGIN');
  await blocker.query('SELECT FROM phones WHERE id = $1 FOR UPDATE', [phone.id]);
  const writes = Array.from({ length: POOL_SIZE }, () =>
    request('DELETE', `${owner}/phones/${phone.id}`, undefined, { 'if-match': '"another"' }),
  );
  await waitForRows(
    `SELECT FROM pg_stat_activity WHERE ${IS_SERVICE_CONNECTION} AND wait_event_type = 'Lock'`,
    POOL_SIZE,
  );
  await blocker.query('ROLLBACK');
  await blocker.end();
  for (const { status } of await Promise.all(writes)) expect(status).toBe(412);
  await waitForRows(`SELECT FROM pg_stat_activity WHERE ${IS_SERVICE_CONNECTION} AND state <> 'idle'`, 0);
  const connections = await server.query(`SELECT FROM pg_stat_activity WHERE ${IS_SERVICE_CONNECTION}`);
  expect(connections.length).toBeLessThanOrEqual(POOL_SIZE);
}

/** Waits until the query returns this number of rows. */
async function waitForRows(sql: string, rows: number): Promise<void> {
  while ((await server.query(sql)).length !== rows);
}

/**
 * Writes under load while `injectFault` makes some of the writes fail. Expects that every acknowledged phone exists,
 * and that a retry of every request with its idempotency key leaves each phone exactly once.
 */
async function writeDuring(injectFault: () => Promise<void>): Promise<void> {
  const phones: { digits: string; is_primary: boolean; key: string; id?: number }[] = [];
  const post = ({ digits, is_primary, key }: (typeof phones)[number]) =>
    request<Phone>('POST', `${owner}/phones`, { digits, is_primary }, { 'idempotency-key': key });
  let isDone = false;
  let failedWrites = 0;
  const write = async (): Promise<void> => {
    while (!isDone) {
      const count = phones.length;
      const newPhone = { digits: `650-555-${count}`, is_primary: count % 2 === 0, key: randomUUID() };
      phones.push(newPhone);
      const response = await post(newPhone);
      if (response.status === 201) {
        Object.assign(newPhone, { id: response.body.id });
      } else {
        expectUnavailable(response);
        failedWrites += 1;
      }
    }
  };
  const writers = Promise.all(Array.from({ length: 2 * POOL_SIZE }, write));
  do await Promise.race([injectFault(), writers]);
  while (failedWrites === 0);
  isDone = true;
  await writers;

  const saved = (await request<Phone[]>('GET', `${owner}/phones`)).body;
  for (const { digits, id } of phones.filter((sent) => sent.id !== undefined)) {
    expect(saved.filter((existing) => existing.digits === digits)).toMatchObject([{ id }]);
  }
  for (const sent of phones)
    expect(await post(sent)).toMatchObject({ status: 201, body: { digits: sent.digits } });
  const afterRetries = (await request<Phone[]>('GET', `${owner}/phones`)).body;
  expect(afterRetries.map(({ digits }) => digits).sort()).toEqual(
    [phone, ...phones].map(({ digits }) => digits).sort(),
  );
  expect(afterRetries.filter(({ is_primary }) => is_primary)).toHaveLength(1);
}

describe('The service', { skip: SERVER === undefined }, () => {
  beforeAll(async () => {
    server = await PostgresqlServer.create();
    proxy = await TcpProxy.to(server.port);
  });

  afterAll(() => server.remove());

  beforeEach(async () => {
    service = new Service({
      DATABASE_URL: Object.assign(server.url, { port: String(proxy.port) }).href,
      DATABASE_POOL: String(POOL_SIZE),
    });
    const api = await service.listening();
    origin = new URL(api).origin;
    owner = `/v1/organizations/${(await request<Phone>('POST', '/v1/organizations', { name: 'Harbor' })).body.id}`;
    phone = (await request<Phone>('POST', `${owner}/phones`, { digits: '211' })).body;
  });

  afterEach(async () => {
    expect((await service.end('SIGTERM')).code).toBe(0);
  });

  it('returns 503 while the database server is stopped, and recovers when it starts again', async () => {
    await server.stop('SIGINT');
    await expectOutage();
    await server.start();
    await expectRecovery();
  });

  it.each(['SIGQUIT', 'SIGKILL'] as const)(
    'loses no acknowledged write when the database server crashes with %s under load',
    async (signal) => {
      await writeDuring(async () => {
        await server.stop(signal);
        await server.start();
      });
      await expectRecovery();
    },
  );

  it('loses no acknowledged write when its connections are terminated under load', async () => {
    await writeDuring(async () => {
      await server.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${IS_SERVICE_CONNECTION}`,
      );
    });
    await expectRecovery();
  });

  it('returns 503 while the database does not respond, and recovers when it does', async () => {
    proxy.pause();
    await expectOutage();
    proxy.resume();
    await expectRecovery();
  });

  it('returns 503 when a transaction takes too long although none of its statements does', async () => {
    const key = randomUUID();
    const post = () =>
      request<Phone>('POST', `${owner}/phones`, { digits: '511' }, { 'idempotency-key': key });
    proxy.delayResponses(1200);
    expect(await request('GET', `${owner}/phones/${phone.id}`)).toMatchObject({ status: 200 });
    // The write is a transaction of several statements, each of which is delayed.
    expectUnavailable(await post());
    proxy.delayResponses(0);
    await waitForRows(`SELECT FROM pg_stat_activity WHERE ${IS_SERVICE_CONNECTION} AND state <> 'idle'`, 0);
    expect(await post()).toMatchObject({ status: 201 });
    const phones = (await request<Phone[]>('GET', `${owner}/phones`)).body;
    expect(phones.filter(({ digits }) => digits === '511')).toHaveLength(1);
    await expectRecovery();
  });

  it('recovers when its connections are lost', async () => {
    await expectAllConnectionsUsable();
    proxy.cut();
    await waitForRows(`SELECT FROM pg_stat_activity WHERE ${IS_SERVICE_CONNECTION}`, 0);
    await expectRecovery();
  });

  it('returns 503 while its connection attempts are refused, and recovers afterwards', async () => {
    await proxy.refuse();
    await expectOutage();
    await proxy.accept();
    await expectRecovery();
  });

  it('returns 503 while other clients use all connections of the server, and recovers afterwards', async () => {
    proxy.cut();
    const others: pg.Client[] = [];
    for (;;) {
      const other = await server.connect().catch(() => undefined);
      if (other === undefined) break;
      others.push(other);
    }
    await expectOutage();
    await Promise.all(others.map((other) => other.end()));
    await server.recovered();
    await expectRecovery();
  });

  it('returns 503 for phones while another session locks their table, and recovers afterwards', async () => {
    const other = await server.connect();
    await other.query('BEGIN');
    await other.query('LOCK TABLE phones');
    for (const response of await Promise.all(
      [...phoneReads(), ...phoneWrites()].map(([method, path, body]) => request(method, path, body)),
    )) {
      expectUnavailable(response);
    }
    expect(await request('GET', '/v1/organizations')).toMatchObject({ status: 200 });
    await other.query('ROLLBACK');
    await other.end();
    await expectRecovery();
  });

  it('returns 503 while the disk is full, and recovers when there is space again', async ({ skip }) => {
    if (!server.hasOwnDisk) skip('needs permission to mount a disk');
    server.fillDisk();
    const fill = async (): Promise<ApiResponse> => {
      for (;;) {
        // Unlike phones, an organization can have any number of locations.
        const response = await request('POST', `${owner}/locations`, { name: 'x'.repeat(255) });
        if (response.status !== 201) return response;
      }
    };
    for (const response of await Promise.all(Array.from({ length: POOL_SIZE }, fill)))
      expectUnavailable(response);
    server.freeDisk();
    await server.recovered();
    await expectRecovery();
  });

  it('retries a change that is the victim of a deadlock', async () => {
    const second = (await request<Phone>('POST', `${owner}/phones`, { digits: '311' })).body;
    const other = await server.connect();
    // PostgreSQL aborts the session whose deadlock timeout ends first, which must be that of the service.
    await other.query(`SET deadlock_timeout = '1min'`);
    await other.query('BEGIN');
    await other.query(`UPDATE phones SET phone_type = 'main' WHERE id = $1`, [phone.id]);
    const change = request('PUT', `${owner}/phones/${second.id}`, { is_primary: true });
    await waitForRows(
      `SELECT FROM pg_stat_activity WHERE ${IS_SERVICE_CONNECTION} AND wait_event_type = 'Lock'`,
      1,
    );
    // The service has locked the owner and waits for the first phone, which this session has locked.
    await other.query('SELECT FROM organizations WHERE id = $1 FOR UPDATE', [
      Number(owner.split('/').at(-1)),
    ]);
    await other.query('COMMIT');
    await other.end();
    expect(await change).toMatchObject({ status: 200, body: { ...second, is_primary: true } });
    expect((await request<Phone[]>('GET', `${owner}/phones`)).body).toEqual([
      { ...phone, phone_type: 'main', is_primary: false },
      { ...second, is_primary: true },
    ]);
  });

  it('exits with code 0 on SIGTERM while the database does not respond', async () => {
    proxy.pause();
    expect((await service.end('SIGTERM')).code).toBe(0);
    proxy.resume();
  });
});

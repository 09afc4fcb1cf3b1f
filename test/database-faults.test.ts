import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ApiResponse, expectProblem } from './support/api.js';
import { SERVER } from './support/database.js';
import type { Phone } from './support/owners.js';
import { PostgresqlServer } from './support/postgresql.js';
import { send, Service } from './support/service.js';
import { TcpProxy } from './support/tcp-proxy.js';

/** The connections of the service under test. */
const POOL = 4;

/** The longest that any request may take, in milliseconds. */
const PROMISE = 5000;

const OF_SERVICE = `application_name = 'phones-service'`;

let server: PostgresqlServer;
let proxy: TcpProxy;
let service: Service;
let origin: string;
let owner: string;
let phone: Phone;

/** Sends a request that must be answered in time. */
function ask<Body>(method: string, path: string, body?: object, headers = {}): Promise<ApiResponse<Body>> {
  return send(method, new URL(path, origin).href, body, headers, AbortSignal.timeout(PROMISE));
}

function expectUnavailable(answer: ApiResponse): void {
  expectProblem(answer, 503);
  expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);
}

const READS = (): [string, string][] => [
  ['GET', `${owner}/phones`],
  ['GET', `${owner}/phones/${phone.id}`],
];
const WRITES = (): [string, string, object?][] => [
  ['POST', `${owner}/phones`, { digits: '211' }],
  ['PUT', `${owner}/phones/${phone.id}`, { phone_type: 'fax' }],
  ['DELETE', `${owner}/phones/2000000000`],
];
const OTHERS = (): [string, string, object?][] => [
  ['GET', '/v1/organizations'],
  ['POST', '/v1/organizations', { name: 'Harbor' }],
  ['PUT', owner, { name: 'Harbor' }],
];

/** Every request is refused, in time, more often than there are connections, and the process is alive. */
async function expectOutage(): Promise<void> {
  const requests = [...READS(), ...WRITES(), ...OTHERS()];
  const answers = await Promise.all(
    [...requests, ...requests].map(([method, path, body]) => ask(method, path, body)),
  );
  for (const answer of answers) expectUnavailable(answer);
  expect(await ask('GET', '/health/live')).toMatchObject({ status: 200 });
  expectUnavailable(await ask('GET', '/health/ready'));
}

/** The first request works, for reads and for writes, and the service has all its connections. */
async function expectRecovery(): Promise<void> {
  expect(await ask('GET', `${owner}/phones/${phone.id}`)).toMatchObject({
    status: 200,
    body: { id: phone.id },
  });
  expect(await ask('POST', `${owner}/phones`, { digits: '311' })).toMatchObject({ status: 201 });
  expect(await ask('GET', '/health/ready')).toMatchObject({ status: 200 });
  await expectWholePool();
}

/** As many statements as there are connections are under way at once, and afterwards none is. */
async function expectWholePool(): Promise<void> {
  const blocker = await server.connect();
  await blocker.query('BEGIN');
  await blocker.query('SELECT FROM phones WHERE id = $1 FOR UPDATE', [phone.id]);
  const writes = Array.from({ length: POOL }, () =>
    ask('DELETE', `${owner}/phones/${phone.id}`, undefined, { 'if-match': '"another"' }),
  );
  await until(`SELECT FROM pg_stat_activity WHERE ${OF_SERVICE} AND wait_event_type = 'Lock'`, POOL);
  await blocker.query('ROLLBACK');
  await blocker.end();
  for (const { status } of await Promise.all(writes)) expect(status).toBe(412);
  await until(`SELECT FROM pg_stat_activity WHERE ${OF_SERVICE} AND state <> 'idle'`, 0);
  const connections = await server.query(`SELECT FROM pg_stat_activity WHERE ${OF_SERVICE}`);
  expect(connections.length).toBeLessThanOrEqual(POOL);
}

/** Waits until a query returns this many rows. */
async function until(sql: string, rows: number): Promise<void> {
  while ((await server.query(sql)).length !== rows);
}

/**
 * Writes while something happens that makes some of the writes fail. Whatever is answered is right: what was acknowledged
 * is there, and so are all the others, once each, when they are sent again.
 */
async function writeDuring(fault: () => Promise<void>): Promise<void> {
  const phones: { digits: string; is_primary: boolean; key: string; id?: number }[] = [];
  const post = ({ digits, is_primary, key }: (typeof phones)[number]) =>
    ask<Phone>('POST', `${owner}/phones`, { digits, is_primary }, { 'idempotency-key': key });
  let isOver = false;
  let refused = 0;
  const write = async (): Promise<void> => {
    while (!isOver) {
      const count = phones.length;
      const one = { digits: `650-555-${count}`, is_primary: count % 2 === 0, key: randomUUID() };
      phones.push(one);
      const answer = await post(one);
      if (answer.status === 201) {
        Object.assign(one, { id: answer.body.id });
      } else {
        expectUnavailable(answer);
        refused += 1;
      }
    }
  };
  const writers = Promise.all(Array.from({ length: 2 * POOL }, write));
  do await Promise.race([fault(), writers]);
  while (refused === 0);
  isOver = true;
  await writers;

  const found = (await ask<Phone[]>('GET', `${owner}/phones`)).body;
  for (const { digits, id } of phones.filter((one) => one.id !== undefined)) {
    expect(found.filter((one) => one.digits === digits)).toMatchObject([{ id }]);
  }
  for (const one of phones)
    expect(await post(one)).toMatchObject({ status: 201, body: { digits: one.digits } });
  const all = (await ask<Phone[]>('GET', `${owner}/phones`)).body;
  expect(all.map(({ digits }) => digits).sort()).toEqual(
    [phone, ...phones].map(({ digits }) => digits).sort(),
  );
  expect(all.filter(({ is_primary }) => is_primary)).toHaveLength(1);
}

describe('when its database fails, the service goes on', { skip: SERVER === undefined }, () => {
  beforeAll(async () => {
    server = await PostgresqlServer.create();
    proxy = await TcpProxy.to(server.port);
  });

  afterAll(() => server.remove());

  beforeEach(async () => {
    service = new Service({
      DATABASE_URL: Object.assign(server.url, { port: String(proxy.port) }).href,
      DATABASE_POOL: String(POOL),
    });
    const api = await service.listening();
    origin = new URL(api).origin;
    owner = `/v1/organizations/${(await ask<Phone>('POST', '/v1/organizations', { name: 'Harbor' })).body.id}`;
    phone = (await ask<Phone>('POST', `${owner}/phones`, { digits: '211' })).body;
  });

  afterEach(async () => {
    expect((await service.end('SIGTERM')).code).toBe(0);
  });

  it('while the server is stopped, and after it has started again', async () => {
    await server.stop('SIGINT');
    await expectOutage();
    await server.start();
    await expectRecovery();
  });

  it.each(['SIGQUIT', 'SIGKILL'] as const)('under load, when the server crashes with %s', async (signal) => {
    await writeDuring(async () => {
      await server.stop(signal);
      await server.start();
    });
    await expectRecovery();
  });

  it('under load, when an administrator ends its connections', async () => {
    await writeDuring(async () => {
      await server.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${OF_SERVICE}`);
    });
    await expectRecovery();
  });

  it('while no answer arrives, and when answers arrive again', async () => {
    proxy.pause();
    await expectOutage();
    proxy.resume();
    await expectRecovery();
  });

  it('while each answer is late, but none by more than a statement may take', async () => {
    const key = randomUUID();
    const post = () => ask<Phone>('POST', `${owner}/phones`, { digits: '511' }, { 'idempotency-key': key });
    proxy.delayAnswers(1200);
    expect(await ask('GET', `${owner}/phones/${phone.id}`)).toMatchObject({ status: 200 });
    // A transaction of several statements.
    expectUnavailable(await post());
    proxy.delayAnswers(0);
    await until(`SELECT FROM pg_stat_activity WHERE ${OF_SERVICE} AND state <> 'idle'`, 0);
    expect(await post()).toMatchObject({ status: 201 });
    const phones = (await ask<Phone[]>('GET', `${owner}/phones`)).body;
    expect(phones.filter(({ digits }) => digits === '511')).toHaveLength(1);
    await expectRecovery();
  });

  it('when the network cuts its connections', async () => {
    await expectWholePool();
    proxy.cut();
    await until(`SELECT FROM pg_stat_activity WHERE ${OF_SERVICE}`, 0);
    await expectRecovery();
  });

  it('while the network lets it connect no more', async () => {
    await proxy.refuse();
    await expectOutage();
    await proxy.accept();
    await expectRecovery();
  });

  it('while others take all connections', async () => {
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

  it('while others have locked its table', async () => {
    const other = await server.connect();
    await other.query('BEGIN');
    await other.query('LOCK TABLE phones');
    for (const answer of await Promise.all(
      [...READS(), ...WRITES()].map(([method, path, body]) => ask(method, path, body)),
    )) {
      expectUnavailable(answer);
    }
    expect(await ask('GET', '/v1/organizations')).toMatchObject({ status: 200 });
    await other.query('ROLLBACK');
    await other.end();
    await expectRecovery();
  });

  it('while the disk is full', async ({ skip }) => {
    if (!server.hasOwnDisk) skip('needs the right to mount a disk');
    server.fillDisk();
    const fill = async (): Promise<ApiResponse> => {
      for (;;) {
        const answer = await ask('POST', `${owner}/phones`, {
          digits: '4'.repeat(255),
          phone_type: 'x'.repeat(255),
        });
        if (answer.status !== 201) return answer;
      }
    };
    for (const answer of await Promise.all(Array.from({ length: POOL }, fill))) expectUnavailable(answer);
    server.freeDisk();
    await server.recovered();
    await expectRecovery();
  });

  it('when it is the victim of a deadlock', async () => {
    const second = (await ask<Phone>('POST', `${owner}/phones`, { digits: '311' })).body;
    const other = await server.connect();
    // So that it is the service whose patience ends first.
    await other.query(`SET deadlock_timeout = '1min'`);
    await other.query('BEGIN');
    await other.query(`UPDATE phones SET phone_type = 'main' WHERE id = $1`, [phone.id]);
    const change = ask('PUT', `${owner}/phones/${second.id}`, { is_primary: true });
    await until(`SELECT FROM pg_stat_activity WHERE ${OF_SERVICE} AND wait_event_type = 'Lock'`, 1);
    // The service holds the owner and waits for the first phone; this holds the phone and waits for the owner.
    await other.query('SELECT FROM organizations WHERE id = $1 FOR UPDATE', [
      Number(owner.split('/').at(-1)),
    ]);
    await other.query('COMMIT');
    await other.end();
    expect(await change).toMatchObject({ status: 200, body: { ...second, is_primary: true } });
    expect((await ask<Phone[]>('GET', `${owner}/phones`)).body).toEqual([
      { ...phone, phone_type: 'main', is_primary: false },
      { ...second, is_primary: true },
    ]);
  });

  it('ends on SIGTERM while no answer arrives', async () => {
    proxy.pause();
    expect((await service.end('SIGTERM')).code).toBe(0);
    proxy.resume();
  });
});

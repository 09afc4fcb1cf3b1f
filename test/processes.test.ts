import { once } from 'node:events';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { ADMIN_API_KEY, databaseSettings, keyHeader, SERVER } from './support/database.js';
import { send, Service } from './support/service.js';

/** Starts two services. @returns the URLs of their APIs */
function startTwo(settings: Record<string, string | undefined> = databaseSettings()) {
  return Promise.all([new Service(settings).listening(), new Service(settings).listening()]);
}

interface Phone {
  id: number;
  is_primary: boolean;
}

it(
  'two services on one database never make two phones of an owner primary',
  { skip: SERVER === undefined },
  async () => {
    const apis = await startTwo();
    const [api] = apis;
    const { body: organization } = await send<{ id: number }>('POST', `${api}/organizations`, {
      name: 'Harbor',
    });
    const phones = `/organizations/${organization.id}/phones`;

    const created = await Promise.all(
      Array.from({ length: 50 }, (_, number) =>
        send<Phone>('POST', `${apis[number % 2]}${phones}`, {
          digits: `650-555-01${number}`,
          is_primary: true,
        }),
      ),
    );
    expect(new Set(created.map(({ status }) => status))).toEqual(new Set([201]));
    const changed = await Promise.all(
      created.map(({ body }, number) =>
        send('PUT', `${apis[number % 2]}${phones}/${body.id}`, { is_primary: true }),
      ),
    );
    expect(new Set(changed.map(({ status }) => status))).toEqual(new Set([200]));

    const { body: listed } = await send<Phone[]>('GET', `${api}${phones}`);
    expect(listed).toHaveLength(50);
    expect(listed.filter(({ is_primary }) => is_primary)).toHaveLength(1);
  },
);

it(
  'two services on one database never give two organizations the same slug',
  { skip: SERVER === undefined },
  async () => {
    const apis = await startTwo();
    const created = await Promise.all(
      Array.from({ length: 30 }, (_, number) =>
        send<{ slug: string }>('POST', `${apis[number % 2]}/organizations`, { name: 'Food Pantry' }),
      ),
    );
    expect(new Set(created.map(({ body }) => body.slug)).size).toBe(30);
  },
);

it(
  'a client that one service deletes gets 401 from another within five seconds',
  { skip: SERVER === undefined },
  async () => {
    const [first, second] = await startTwo({ ...databaseSettings(), REQUIRE_API_KEY: 'always' });
    const asAdmin = keyHeader(ADMIN_API_KEY);
    const { body: client } = await send<{ id: number; key: string }>(
      'POST',
      `${first}/clients`,
      { name: 'X' },
      asAdmin,
    );
    const statusAtSecond = async () =>
      (await send('GET', `${second}/organizations`, undefined, keyHeader(client.key))).status;
    expect(await statusAtSecond()).toBe(200);
    await send('DELETE', `${first}/clients/${client.id}`, undefined, asAdmin);
    // Only the time of the request counts, because its response may be late on a busy machine.
    const deadline = performance.now() + 5000;
    let isLast: boolean;
    let status: number;
    do {
      await setTimeout(100);
      isLast = performance.now() >= deadline;
      status = await statusAtSecond();
    } while (status !== 401 && !isLast);
    expect(status).toBe(401);
  },
);

it(
  'a client that one service deletes cannot finish a request to another that it has started before',
  { skip: SERVER === undefined },
  async () => {
    const [first, second] = await startTwo({ ...databaseSettings(), REQUIRE_API_KEY: 'always' });
    const asAdmin = keyHeader(ADMIN_API_KEY);
    const { body: organization } = await send<{ id: number }>(
      'POST',
      `${first}/organizations`,
      { name: 'Harbor' },
      asAdmin,
    );
    const { body: client } = await send<{ id: number; key: string }>(
      'POST',
      `${first}/clients`,
      { name: 'X', organization_ids: [organization.id] },
      asAdmin,
    );
    const url = new URL(`${second}/organizations/${organization.id}/phones`);
    const body = JSON.stringify({ digits: '211' });
    const post = httpRequest(url, {
      method: 'POST',
      headers: {
        ...keyHeader(client.key),
        'Content-Type': 'application/json',
        'Content-Length': body.length,
      },
    });
    post.write(body.slice(0, 1));
    const statusAtSecond = async () => (await send('GET', url.href, undefined, keyHeader(client.key))).status;
    expect(await statusAtSecond()).toBe(200);
    await send('DELETE', `${first}/clients/${client.id}`, undefined, asAdmin);
    while ((await statusAtSecond()) !== 401) await setTimeout(100);
    post.end(body.slice(1));
    const [response] = (await once(post, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(401);
    expect((await send('GET', url.href, undefined, asAdmin)).body).toEqual([]);
  },
);

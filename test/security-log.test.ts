import { beforeAll, describe, expect, it } from 'vitest';
import { createApiKey, prefixOf } from '../src/auth/api-key.js';
import { ADMIN_API_KEY, databaseSettings, keyHeader } from './support/database.js';
import { send, Service } from './support/service.js';

interface Client {
  id: number;
  key: string;
}

type LogEntry = Record<string, unknown>;

/** The log of a service to which a client was added, changed, and used with and without permission. */
let log: LogEntry[];
let editor: Client;
let admin: Client;
let secondKey: string;
let unknownKeys: string[];

beforeAll(async () => {
  const service = new Service({ ...databaseSettings(), REQUIRE_API_KEY: 'writes' });
  const api = await service.listening();
  const as = (key: string) => ({ ...keyHeader(key), 'x-request-id': 'request-1' });
  const create = async (client: object) =>
    (await send<Client>('POST', `${api}/clients`, client, as(ADMIN_API_KEY))).body;
  admin = await create({ name: 'Admin', is_admin: true });
  editor = await create({ name: 'Editor' });
  const path = `${api}/clients/${editor.id}`;
  const { body } = await send<Client>('POST', `${path}/keys`, {}, as(admin.key));
  secondKey = body.key;
  await send('PUT', path, { name: 'Desk' }, as(admin.key));
  await send('POST', `${api}/organizations`, { name: 'X' }, as(editor.key));
  await send('POST', `${api}/organizations`, { name: 'X' });
  await send('DELETE', `${path}/keys/${body.id}`, undefined, as(admin.key));
  await send('DELETE', path, undefined, as(admin.key));
  unknownKeys = Array.from({ length: 50 }, createApiKey);
  await Promise.all(unknownKeys.map((key) => send('GET', `${api}/organizations`, undefined, as(key))));
  const { output } = await service.end('SIGTERM');
  log = output.map((line) => JSON.parse(line) as LogEntry);
});

const entriesOf = (msg: string) => log.filter((entry) => entry.msg === msg);

describe('The security log', () => {
  it('has one line for each change to clients and keys, with its author', () => {
    const author = { client_id: admin.id, key_prefix: prefixOf(admin.key) };
    const target = { client_id: editor.id };
    expect(log.filter(({ author }) => author !== undefined)).toMatchObject([
      { msg: 'Client created', author: 'ADMIN_API_KEY', client_id: admin.id, key_prefix: author.key_prefix },
      { msg: 'Client created', author: 'ADMIN_API_KEY', ...target, key_prefix: prefixOf(editor.key) },
      { msg: 'Key created', author, ...target, key_prefix: prefixOf(secondKey) },
      { msg: 'Client updated', author, ...target },
      { msg: 'Key revoked', author, ...target, key_prefix: prefixOf(secondKey) },
      { msg: 'Client deleted', author, ...target },
    ]);
  });

  it('has a line for a key without the permission, but none for a request without a key', () => {
    expect(entriesOf('An API key was rejected').filter(({ status }) => status !== 401)).toEqual([
      expect.objectContaining({
        status: 403,
        reason: 'This requires the API key of an admin.',
        client: { client_id: editor.id, key_prefix: prefixOf(editor.key) },
        address: '127.0.0.1',
        method: 'POST',
        route: '/v1/organizations',
        request_id: 'request-1',
      }),
    ]);
  });

  it('has lines for unknown keys with their prefixes, but only a few each second', () => {
    const entries = entriesOf('An API key was rejected').filter(({ status }) => status === 401);
    const prefixes = unknownKeys.map(prefixOf);
    for (const { key_prefix } of entries) expect(prefixes).toContain(key_prefix);
    expect(entries.length).toBeGreaterThan(0);
    expect(entries.length).toBeLessThan(unknownKeys.length);
  });

  it('contains no key', () => {
    for (const key of [ADMIN_API_KEY, admin.key, editor.key, secondKey, ...unknownKeys])
      expect(JSON.stringify(log)).not.toContain(key);
  });
});

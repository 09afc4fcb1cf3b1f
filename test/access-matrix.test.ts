import { beforeAll, describe, expect, it } from 'vitest';
import { isRead } from '../src/common/http-methods.js';
import { createApiKey } from '../src/auth/api-key.js';
import { KEY_MODES, type KeyMode } from '../src/config/environment.js';
import { app, AS_ADMIN, expectProblem, type Method, request, restart } from './support/api.js';
import { createClient, deleteClient } from './support/clients.js';
import { keyHeader } from './support/database.js';
import { createOrganization, createOwner, createPhone } from './support/owners.js';

/** Who may, where a key is needed; `admin in every mode` needs one always. */
type Rule = 'everyone' | 'reader' | 'manager' | 'admin' | 'admin in every mode';

const PHONES = { GET: 'reader', POST: 'manager' } as const;
const ONE = { GET: 'reader', PUT: 'manager', DELETE: 'manager' } as const;

/** Every route with its rule. One that is added without a line here fails. */
const RULES: Record<string, Partial<Record<Method, Rule>>> = {
  '/v1/organizations': { GET: 'reader', POST: 'admin' },
  '/v1/organizations/:organization_id': { GET: 'reader', PUT: 'manager', DELETE: 'admin' },
  '/v1/organizations/:organization_id/phones': PHONES,
  '/v1/organizations/:organization_id/phones/:id': ONE,
  '/v1/organizations/:organization_id/opportunities': { GET: 'reader', POST: 'manager' },
  '/v1/organizations/:organization_id/opportunities/:opportunity_id': ONE,
  '/v1/organizations/:organization_id/opportunities/:opportunity_id/phones': PHONES,
  '/v1/organizations/:organization_id/opportunities/:opportunity_id/phones/:id': ONE,
  '/v1/organizations/:organization_id/locations': { GET: 'reader', POST: 'manager' },
  '/v1/organizations/:organization_id/locations/:location_id': ONE,
  '/v1/organizations/:organization_id/locations/:location_id/phones': PHONES,
  '/v1/organizations/:organization_id/locations/:location_id/phones/:id': ONE,
  '/v1/clients': { GET: 'admin in every mode', POST: 'admin in every mode' },
  '/v1/clients/:id': {
    GET: 'admin in every mode',
    PUT: 'admin in every mode',
    DELETE: 'admin in every mode',
  },
  '/v1/clients/:id/keys': { POST: 'admin in every mode' },
  '/v1/clients/:id/keys/:key_id': { DELETE: 'admin in every mode' },
  '/health/live': { GET: 'everyone' },
  '/health/ready': { GET: 'everyone' },
  '/': { GET: 'everyone' },
  '/docs': { GET: 'everyone' },
  '/docs-json': { GET: 'everyone' },
  '/docs-yaml': { GET: 'everyone' },
};

const CALLERS = [
  'no key',
  'a malformed key',
  'an unknown key',
  'a revoked key',
  "another organization's client",
  'the owner',
  'an admin',
] as const;

type Caller = (typeof CALLERS)[number];

/** The routes of the router itself, as it prints them: a tree, each branch four characters further in. */
function routes(): { method: Method; path: string }[] {
  const branches: string[] = [];
  return app
    .getHttpAdapter()
    .getInstance()
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => {
      const [, indent = '', branch = '', methods = ''] = /^([│ ]*)[├└]── (\S+) \((.+)\)$/.exec(line) ?? [];
      if (branch === '') throw new Error(`A route that this test cannot read: ${line}`);
      branches.splice(indent.length / 4, Infinity, branch);
      const path = branches.join('').replace('//', '/');
      return (
        methods
          .split(', ')
          .map((method) => ({ method: method as Method, path }))
          // The files of Swagger UI.
          .filter(({ method }) => !(isRead(method) && /^\/docs[/*]/.test(path)))
      );
    });
}

/** What a caller is answered, but for what every caller is: a status, or `undefined` for success. */
function expected(rule: Rule | undefined, mode: KeyMode, reads: boolean, caller: Caller): number | undefined {
  if (rule === 'everyone') return undefined;
  const needsKey = rule === 'admin in every mode' || mode === 'always' || (mode === 'writes' && !reads);
  const looksAtKeys = needsKey || mode !== 'never';
  if (caller === 'no key') return needsKey ? 401 : undefined;
  if (['a malformed key', 'an unknown key', 'a revoked key'].includes(caller))
    return looksAtKeys ? 401 : undefined;
  if (!needsKey || rule === 'reader' || caller === 'an admin') return undefined;
  return rule === 'manager' && caller === 'the owner' ? undefined : 403;
}

const BODIES: Record<string, object> = {
  phones: { digits: '211' },
  opportunities: { title: 'Meals' },
  locations: { name: 'Hall' },
  organizations: { name: 'Pantry' },
  clients: { name: 'Client' },
};

describe.each(KEY_MODES)('with REQUIRE_API_KEY=%s', (mode) => {
  beforeAll(() => restart({ REQUIRE_API_KEY: mode }));

  it('there is a rule for every route', () => {
    for (const { method, path } of routes()) {
      expect(`${method} ${path}: ${RULES[path]?.[method === 'HEAD' ? 'GET' : method]}`).not.toContain(
        'undefined',
      );
    }
    const found = new Set(routes().map(({ path }) => path));
    expect(Object.keys(RULES).filter((path) => !found.has(path))).toEqual([]);
  });

  it.each(CALLERS)('%s may just what the rules say', { timeout: 120_000 }, async (caller) => {
    const { id: organization_id } = await createOrganization();
    const stranger = await createOrganization();
    const client = await createClient({
      is_admin: caller === 'an admin',
      organization_ids: caller === 'the owner' ? [organization_id] : [stranger.id],
    });
    if (caller === 'a revoked key') await deleteClient(client.id);
    const keys: Record<Caller, string | undefined> = {
      'no key': undefined,
      'a malformed key': client.key.slice(0, -1),
      'an unknown key': createApiKey(),
      'a revoked key': client.key,
      "another organization's client": client.key,
      'the owner': client.key,
      'an admin': client.key,
    };
    const key = keys[caller];
    const headers = key === undefined ? {} : keyHeader(key);

    for (const { method, path } of routes()) {
      const reads = isRead(method);
      const rule = RULES[path]?.[reads ? 'GET' : method];
      const status = expected(rule, mode, reads, caller);
      // The organization itself is still needed after it was deleted.
      const deletes = method === 'DELETE' && rule === 'admin' && status === undefined;
      const url = await fill(path, deletes ? (await createOrganization()).id : organization_id);
      const before = reads ? undefined : await look(url);
      const collection = path.split('/').findLast((part) => part in BODIES) ?? '';
      const body = method === 'POST' || method === 'PUT' ? BODIES[collection] : undefined;
      const answer = await request(method, url, path.endsWith('/keys') ? undefined : body, headers);

      const line = `${mode}, ${caller}: ${method} ${path}`;
      expect(`${line} ${answer.status}`).toMatch(status === undefined ? / (200|201|204|302)$/ : ` ${status}`);
      if (status === undefined) continue;
      if (method !== 'HEAD') expectProblem(answer, status);
      if (status === 401) expect(answer.headers['www-authenticate']).toMatch(/^Bearer realm="phones"/);
      // What was refused has changed nothing.
      if (!reads) expect(await look(url)).toEqual(before);
    }
  });

  /** What an admin sees of a resource. */
  async function look(url: string): Promise<unknown> {
    const { status, body } = await request('GET', url.replace(/\/keys(\/.*)?$/, ''), undefined, AS_ADMIN);
    return { status, body };
  }

  /** A path to something that there is, new so that it may be deleted. */
  async function fill(path: string, organizationId: number): Promise<string> {
    const type = path.includes('/opportunities/')
      ? 'opportunity'
      : path.includes('/locations/')
        ? 'location'
        : 'organization';
    if (path.startsWith('/v1/clients/')) {
      const { id, keys } = await createClient();
      return path.replace(':id', String(id)).replace(':key_id', String(keys[0]?.id));
    }
    if (!path.includes(':organization_id')) return path;
    const owner = await createOwner(type, organizationId);
    const phones = path.split(/:(?:organization|opportunity|location)_id/).at(-1) ?? '';
    if (!phones.endsWith('/:id')) return owner + phones;
    return `${owner}/phones/${(await createPhone(owner)).id}`;
  }
});

import { beforeAll, describe, expect, it } from 'vitest';
import { isRead } from '../src/common/http-methods.js';
import { createApiKey } from '../src/auth/api-key.js';
import { KEY_MODES, type KeyMode } from '../src/config/environment.js';
import { app, AS_ADMIN, expectProblem, type Method, request, restart } from './support/api.js';
import { createClient, deleteClient } from './support/clients.js';
import { keyHeader } from './support/database.js';
import { createOrganization, createOwner, createPhone } from './support/owners.js';

/** Who may call a route when keys are required. `admin in every mode` requires a key even in mode `never`. */
type Rule = 'everyone' | 'reader' | 'manager' | 'admin' | 'admin in every mode';

const PHONES = { GET: 'reader', POST: 'manager' } as const;
const ONE = { GET: 'reader', PUT: 'manager', DELETE: 'manager' } as const;

/** The rule for every route. A route without a rule fails the test. */
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
  '/v1/phones': { GET: 'reader' },
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

const CREDENTIALS = [
  'no key',
  'a malformed key',
  'an unknown key',
  'a revoked key',
  'the key of another organization',
  'the key of the organization',
  'the key of an admin',
] as const;

type Credentials = (typeof CREDENTIALS)[number];

/** Reads all routes from the router, which prints them as a tree with four characters of indentation per level. */
function listRoutes(): { method: Method; path: string }[] {
  const branches: string[] = [];
  return app
    .getHttpAdapter()
    .getInstance()
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => {
      const [, indent = '', branch = '', methods = ''] = /^([│ ]*)[├└]── (\S+) \((.+)\)$/.exec(line) ?? [];
      if (branch === '') throw new Error(`Cannot parse the route: ${line}`);
      branches.splice(indent.length / 4, Infinity, branch);
      const path = branches.join('').replace('//', '/');
      return (
        methods
          .split(', ')
          .map((method) => ({ method: method as Method, path }))
          // The static files of Swagger UI are public and have no rule.
          .filter(({ method }) => !(isRead(method) && /^\/docs[/*]/.test(path)))
      );
    });
}

/** Returns the status with which a request is rejected, or `undefined` if it succeeds. */
function expectedRejection(
  rule: Rule | undefined,
  mode: KeyMode,
  reads: boolean,
  credentials: Credentials,
): number | undefined {
  if (rule === 'everyone') return undefined;
  const needsKey = rule === 'admin in every mode' || mode === 'always' || (mode === 'writes' && !reads);
  const verifiesKey = needsKey || mode !== 'never';
  if (credentials === 'no key') return needsKey ? 401 : undefined;
  if (['a malformed key', 'an unknown key', 'a revoked key'].includes(credentials))
    return verifiesKey ? 401 : undefined;
  if (!needsKey || rule === 'reader' || credentials === 'the key of an admin') return undefined;
  return rule === 'manager' && credentials === 'the key of the organization' ? undefined : 403;
}

const BODIES: Record<string, object> = {
  phones: { digits: '211' },
  opportunities: { title: 'Meals' },
  locations: { name: 'Hall' },
  organizations: { name: 'Pantry' },
  clients: { name: 'Client' },
};

describe.each(KEY_MODES)('With REQUIRE_API_KEY=%s,', (mode) => {
  beforeAll(() => restart({ REQUIRE_API_KEY: mode }));

  it('every route has a rule', () => {
    for (const { method, path } of listRoutes()) {
      expect(`${method} ${path}: ${RULES[path]?.[method === 'HEAD' ? 'GET' : method]}`).not.toContain(
        'undefined',
      );
    }
    const paths = new Set(listRoutes().map(({ path }) => path));
    expect(Object.keys(RULES).filter((path) => !paths.has(path))).toEqual([]);
  });

  it.each(CREDENTIALS)(
    'requests with %s are accepted or rejected according to the rules',
    async (credentials) => {
      const { id: organization_id } = await createOrganization();
      const otherOrganization = await createOrganization();
      const client = await createClient({
        is_admin: credentials === 'the key of an admin',
        organization_ids:
          credentials === 'the key of the organization' ? [organization_id] : [otherOrganization.id],
      });
      if (credentials === 'a revoked key') await deleteClient(client.id);
      const keys: Record<Credentials, string | undefined> = {
        'no key': undefined,
        'a malformed key': client.key.slice(0, -1),
        'an unknown key': createApiKey(),
        'a revoked key': client.key,
        'the key of another organization': client.key,
        'the key of the organization': client.key,
        'the key of an admin': client.key,
      };
      const key = keys[credentials];
      const headers = key === undefined ? {} : keyHeader(key);

      for (const { method, path } of listRoutes()) {
        const reads = isRead(method);
        const rule = RULES[path]?.[reads ? 'GET' : method];
        const status = expectedRejection(rule, mode, reads, credentials);
        // A new organization is deleted, because the remaining routes still need this one.
        const deletesOrganization = method === 'DELETE' && rule === 'admin' && status === undefined;
        const url = await createTarget(
          path,
          deletesOrganization ? (await createOrganization()).id : organization_id,
        );
        const before = reads ? undefined : await getAsAdmin(url);
        const collection = path.split('/').findLast((part) => part in BODIES) ?? '';
        const body = method === 'POST' || method === 'PUT' ? BODIES[collection] : undefined;
        const response = await request(method, url, path.endsWith('/keys') ? undefined : body, headers);

        const label = `${mode}, ${credentials}: ${method} ${path}`;
        expect(`${label} ${response.status}`).toMatch(
          status === undefined ? / (200|201|204|302)$/ : ` ${status}`,
        );
        if (status === undefined) continue;
        if (method !== 'HEAD') expectProblem(response, status);
        if (status === 401) expect(response.headers['www-authenticate']).toMatch(/^Bearer realm="phones"/);
        // A rejected request must not change anything.
        if (!reads) expect(await getAsAdmin(url)).toEqual(before);
      }
    },
  );

  async function getAsAdmin(url: string): Promise<unknown> {
    const { status, body } = await request('GET', url.replace(/\/keys(\/.*)?$/, ''), undefined, AS_ADMIN);
    return { status, body };
  }

  /** Creates the resource that a path pattern refers to, so that it can be deleted, and returns its path. */
  async function createTarget(path: string, organizationId: number): Promise<string> {
    const type = path.includes('/opportunities/')
      ? 'opportunity'
      : path.includes('/locations/')
        ? 'location'
        : 'organization';
    if (path.startsWith('/v1/clients/')) {
      const { id, keys } = await createClient();
      return path.replace(':id', String(id)).replace(':key_id', String(keys[0]?.id));
    }
    if (path === '/v1/phones') return `${path}?number=211`;
    if (!path.includes(':organization_id')) return path;
    const owner = await createOwner(type, organizationId);
    const suffix = path.split(/:(?:organization|opportunity|location)_id/).at(-1) ?? '';
    if (!suffix.endsWith('/:id')) return owner + suffix;
    return `${owner}/phones/${(await createPhone(owner)).id}`;
  }
});

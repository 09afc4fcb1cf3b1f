import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_API_KEY, databaseSettings, keyHeader } from './support/database.js';
import { send, Service } from './support/service.js';
import { newTemporaryDirectory } from './support/temporary-directory.js';

interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema: { example?: unknown };
}

interface Operation {
  operationId: string;
  summary?: string;
  parameters: Parameter[];
  requestBody?: { content: { 'application/json': { schema: { $ref: string } } } };
  security: Record<string, string[]>[];
  responses: Record<string, { description: string; content?: Record<string, { schema?: object }> }>;
}

interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: {
    securitySchemes: Record<string, object>;
    schemas: Record<string, { properties: Record<string, { example?: unknown }> }>;
  };
}

let document: Document;
let operations: { method: string; path: string; operation: Operation }[];

beforeAll(async () => {
  await new Service(databaseSettings(), 'seed/seed.js').end();
  const api = await new Service().listening();
  document = (await send<Document>('GET', api.replace('/v1', '/docs-json'))).body;
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
});

describe('The OpenAPI document', () => {
  it('keeps its operation IDs, after which generated clients name their methods', () => {
    expect(
      operations.map(({ method, path, operation }) => `${method} ${path} ${operation.operationId}`).sort(),
    ).toMatchInlineSnapshot(`
      [
        "DELETE /v1/clients/{id} deleteClient",
        "DELETE /v1/clients/{id}/keys/{key_id} deleteClientKey",
        "DELETE /v1/organizations/{organization_id} deleteOrganization",
        "DELETE /v1/organizations/{organization_id}/locations/{location_id} deleteLocation",
        "DELETE /v1/organizations/{organization_id}/locations/{location_id}/phones/{id} deleteLocationPhone",
        "DELETE /v1/organizations/{organization_id}/opportunities/{opportunity_id} deleteOpportunity",
        "DELETE /v1/organizations/{organization_id}/opportunities/{opportunity_id}/phones/{id} deleteOpportunityPhone",
        "DELETE /v1/organizations/{organization_id}/phones/{id} deleteOrganizationPhone",
        "GET /health/live getLiveness",
        "GET /health/ready getReadiness",
        "GET /v1/clients listClients",
        "GET /v1/clients/{id} getClient",
        "GET /v1/organizations listOrganizations",
        "GET /v1/organizations/{organization_id} getOrganization",
        "GET /v1/organizations/{organization_id}/locations listLocations",
        "GET /v1/organizations/{organization_id}/locations/{location_id} getLocation",
        "GET /v1/organizations/{organization_id}/locations/{location_id}/phones listLocationPhones",
        "GET /v1/organizations/{organization_id}/locations/{location_id}/phones/{id} getLocationPhone",
        "GET /v1/organizations/{organization_id}/opportunities listOpportunities",
        "GET /v1/organizations/{organization_id}/opportunities/{opportunity_id} getOpportunity",
        "GET /v1/organizations/{organization_id}/opportunities/{opportunity_id}/phones listOpportunityPhones",
        "GET /v1/organizations/{organization_id}/opportunities/{opportunity_id}/phones/{id} getOpportunityPhone",
        "GET /v1/organizations/{organization_id}/phones listOrganizationPhones",
        "GET /v1/organizations/{organization_id}/phones/{id} getOrganizationPhone",
        "GET /v1/phones searchPhones",
        "POST /v1/clients createClient",
        "POST /v1/clients/{id}/keys createClientKey",
        "POST /v1/organizations createOrganization",
        "POST /v1/organizations/{organization_id}/locations createLocation",
        "POST /v1/organizations/{organization_id}/locations/{location_id}/phones createLocationPhone",
        "POST /v1/organizations/{organization_id}/opportunities createOpportunity",
        "POST /v1/organizations/{organization_id}/opportunities/{opportunity_id}/phones createOpportunityPhone",
        "POST /v1/organizations/{organization_id}/phones createOrganizationPhone",
        "PUT /v1/clients/{id} updateClient",
        "PUT /v1/organizations/{organization_id} updateOrganization",
        "PUT /v1/organizations/{organization_id}/locations/{location_id} updateLocation",
        "PUT /v1/organizations/{organization_id}/locations/{location_id}/phones/{id} updateLocationPhone",
        "PUT /v1/organizations/{organization_id}/opportunities/{opportunity_id} updateOpportunity",
        "PUT /v1/organizations/{organization_id}/opportunities/{opportunity_id}/phones/{id} updateOpportunityPhone",
        "PUT /v1/organizations/{organization_id}/phones/{id} updateOrganizationPhone",
      ]
    `);
  });

  it('describes each operation, its parameters and all its responses', () => {
    for (const { operation } of operations) {
      expect(operation.summary).toMatch(/\w/);
      for (const { description } of operation.parameters) expect(description).toMatch(/\w/);
      for (const [status, { description, content }] of Object.entries(operation.responses)) {
        expect(description).toMatch(/\w/);
        const type = status < '300' ? 'application/json' : 'application/problem+json';
        expect(Object.keys(content ?? {})).toEqual(['204', '304'].includes(status) ? [] : [type]);
        for (const { schema } of Object.values(content ?? {})) expect(schema).toBeDefined();
      }
    }
  });

  it('describes the three ways to send an API key', () => {
    expect(document.components.securitySchemes).toMatchObject({
      bearer: { type: 'http', scheme: 'bearer' },
      header: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      query: { type: 'apiKey', in: 'query', name: 'api_key' },
    });
  });

  it.each([
    ['never', { read: 'none', write: 'none' }],
    ['writes', { read: 'optional', write: 'required' }],
    ['always', { read: 'required', write: 'required' }],
  ])('declares which operations require an API key with REQUIRE_API_KEY=%s', async (mode, requirements) => {
    const settings = { ...databaseSettings(), REQUIRE_API_KEY: mode, RATE_LIMIT_WRITES: '100' };
    const api = await new Service(settings).listening();
    const { body } = await send<Document>('GET', api.replace('/v1', '/docs-json'));
    for (const [path, methods] of Object.entries(body.paths)) {
      for (const [method, { security, responses }] of Object.entries(methods)) {
        const isRead = method === 'get';
        const requirement = path.startsWith('/v1/clients')
          ? 'required'
          : path.startsWith('/health')
            ? 'none'
            : requirements[isRead ? 'read' : 'write'];
        const optional = requirement === 'optional' ? [{}] : [];
        const schemes = requirement === 'none' ? [] : [{ bearer: [] }, { header: [] }, { query: [] }];
        expect({ method, path, security }).toEqual({ method, path, security: [...optional, ...schemes] });
        expect('401' in responses).toBe(requirement !== 'none');
        expect('403' in responses).toBe(
          requirement === 'required' && (!isRead || path.startsWith('/v1/clients')),
        );
        expect('429' in responses).toBe(!isRead);
      }
    }
  });

  it('passes Redocly lint without errors or warnings', async () => {
    // With these settings, the document contains every optional part.
    const settings = { ...databaseSettings(), REQUIRE_API_KEY: 'always', RATE_LIMIT_READS: '1000' };
    const api = await new Service(settings).listening();
    const { body: complete } = await send<Document>('GET', api.replace('/v1', '/docs-json'));
    const directory = newTemporaryDirectory();
    const file = join(directory, 'openapi.json');
    for (const linted of [document, complete]) {
      await writeFile(file, JSON.stringify(linted));
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['node_modules/@redocly/cli/bin/cli.js', 'lint', '--extends=recommended', '--format=json', file],
        { env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' } },
      );
      expect(JSON.parse(stdout)).toMatchObject({ totals: { errors: 0, warnings: 0, ignored: 0 } });
    }
    await rm(directory, { recursive: true });
  });

  it('contains examples that work unchanged on the seeded database', async () => {
    const api = await new Service().listening();
    const origin = api.replace('/v1', '');
    const ordered = operations.toSorted(
      (a, b) => Number(a.method === 'DELETE') - Number(b.method === 'DELETE'),
    );
    // Deleting an owner also deletes its phones, so phones come first.
    ordered.sort((a, b) =>
      a.method === b.method && a.method === 'DELETE' ? b.path.length - a.path.length : 0,
    );
    for (const { method, path, operation } of ordered) {
      const url = operation.parameters.reduce((url, { name, in: place, required, schema }) => {
        const example = encodeURIComponent(String(schema.example));
        return place === 'query' && required
          ? `${url}?${name}=${example}`
          : url.replace(`{${name}}`, example);
      }, path);
      const schema = operation.requestBody?.content['application/json'].schema.$ref.split('/').at(-1) ?? '';
      const body = Object.entries(document.components.schemas[schema]?.properties ?? {}).map(
        ([name, { example }]) => [name, example],
      );
      const response = await send(
        method,
        origin + url,
        schema === '' ? undefined : Object.fromEntries(body),
        keyHeader(ADMIN_API_KEY),
      );
      const success = Object.keys(operation.responses).filter((status) => status < '300');
      expect(`${method} ${url}: ${response.status}`).toBe(`${method} ${url}: ${success.join()}`);
      if (operation.operationId === 'searchPhones') expect(response.body).toHaveLength(1);
    }
  });
});

describe('Swagger UI', () => {
  it('is where / redirects to, and loads all its assets from the service', async () => {
    const origin = (await new Service().listening()).replace('/v1', '');
    const page = await fetch(`${origin}/`);
    expect(page.url).toMatch(/\/docs$/);
    expect(page.status).toBe(200);
    const assets = [...(await page.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? '');
    expect(assets).toContainEqual(expect.stringMatching(/swagger-ui-bundle\.js$/));
    for (const path of assets) {
      expect(path).toMatch(/^\.\/docs\//);
      expect((await fetch(new URL(path, page.url))).status).toBe(200);
    }
    expect((await fetch(`${origin}/docs-yaml`)).headers.get('content-type')).toMatch(/yaml/);
  });
});

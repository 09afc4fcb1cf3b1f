import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { DocumentBuilder, OpenAPIObject } from '@nestjs/swagger';
import { type Environment, environmentConfig } from '../config/environment.js';
import { problemResponse } from '../common/api-responses.js';
import { isRead } from '../common/http-methods.js';
import { accessPolicy } from './access-policy.js';
import { findRouteHandlers } from './route-handlers.js';

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const;

/** The alternative ways to send a key. */
const SCHEMES: Record<string, string[]>[] = [{ bearer: [] }, { header: [] }, { query: [] }];

/** Documents the ways to send a key, which Swagger UI offers under Authorize. */
export function addSecuritySchemes(config: DocumentBuilder): DocumentBuilder {
  return config
    .addSecurity('bearer', { type: 'http', scheme: 'bearer', description: '`Authorization: Bearer KEY`' })
    .addSecurity('header', {
      type: 'apiKey',
      in: 'header',
      name: 'X-API-Key',
      description: '`X-API-Key: KEY`',
    })
    .addSecurity('query', {
      type: 'apiKey',
      in: 'query',
      name: 'api_key',
      description: '`?api_key=KEY`. Prefer a header, as proxies and browsers store URLs.',
    });
}

/** Documents whether each operation needs a key with the current settings, and the error responses that follow. */
export function describeSecurity(document: OpenAPIObject, app: NestFastifyApplication): OpenAPIObject {
  const environment = app.get<Environment>(environmentConfig.KEY);
  const { REQUIRE_API_KEY, RATE_LIMIT_READS, RATE_LIMIT_WRITES } = environment;
  const handlers = findRouteHandlers(app);
  for (const path of Object.values(document.paths)) {
    for (const method of METHODS) {
      const operation = path[method];
      if (operation === undefined) continue;
      const handler = handlers.get(operation.operationId ?? '');
      if (handler === undefined)
        throw new Error(`There is no handler for the operation ${operation.operationId}.`);
      const policy = accessPolicy(handler, method.toUpperCase(), REQUIRE_API_KEY);
      const { permission, requiresKey, acceptsKey } = policy;
      // An empty requirement means that no key is needed.
      operation.security = requiresKey ? SCHEMES : acceptsKey ? [{}, ...SCHEMES] : [];
      if (acceptsKey) operation.responses['401'] = problemResponse(401);
      if (requiresKey && permission !== 'read') operation.responses['403'] = problemResponse(403);
      const limit = isRead(method.toUpperCase()) ? RATE_LIMIT_READS : RATE_LIMIT_WRITES;
      if (permission !== 'none' && limit !== undefined) operation.responses['429'] = problemResponse(429);
    }
  }
  return document;
}

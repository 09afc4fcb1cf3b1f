import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { addSecuritySchemes, describeSecurity } from './auth/auth.openapi.js';
import { VERSION } from './config/package.js';
import { describeEntityTags } from './common/etag.openapi.js';
import type { FastifyInstance, onSendHookHandler, preHandlerHookHandler } from 'fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';

const DESCRIPTION = `
The phone numbers of the organizations, opportunities and locations in a directory of human services.

An owner has at most one primary number: making one primary demotes the previous one. Numbers are stored as they were
written, character for character. Error responses are problem details (RFC 9457), which list up to 20 field errors at once.`;

/** The routes of the document, and of the script of Swagger UI that contains it. */
const DOCUMENT_ROUTE = /^\/docs-(json|yaml)$|\/swagger-ui-init\.js$/;

/** The URL of the server in the generated document, which is replaced for each request. */
const SERVER_URL = '/the-forwarded-prefix';

/** Builds the OpenAPI document from the decorators of the application. */
function buildOpenApiDocument(app: NestFastifyApplication): OpenAPIObject {
  const config = addSecuritySchemes(new DocumentBuilder())
    .setTitle('Phones')
    .setDescription(DESCRIPTION.trim())
    .setVersion(VERSION)
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer(SERVER_URL)
    .addTag('Phones of organizations', 'The phone numbers of an organization.')
    .addTag('Phones of opportunities', 'The phone numbers of an opportunity that an organization offers.')
    .addTag('Phones of locations', 'The phone numbers of a location of an organization.')
    .addTag('Phones of all owners', 'The phone numbers of the whole directory.')
    .addTag('Organizations', 'The organizations of the directory.')
    .addTag('Opportunities', 'The services that organizations offer.')
    .addTag('Locations', 'The locations where people go for help.')
    .addTag('Clients', 'The clients of the API and their keys, for admins.')
    .addTag('Health', 'For load balancers and orchestrators.')
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    operationIdFactory: (_controller, method) => method,
  });
  return describeSecurity(describeEntityTags(document), app);
}

/**
 * Generates each form of the document once, instead of for each request, as YAML takes tens of milliseconds. In the
 * response, the URL of the server is the path under which the client reaches the service.
 *
 * Must be called before the routes are registered.
 */
export function cacheDocuments(fastify: FastifyInstance): void {
  const documents = new Map<string, { type: unknown; text: string }>();

  const sendCached: preHandlerHookHandler = (request, reply, done) => {
    const document = documents.get(request.routeOptions.url ?? '');
    if (document === undefined) done();
    else reply.header('Content-Type', document.type).send(document.text);
  };
  const setServerUrl: onSendHookHandler = (request, reply, text, done) => {
    if (reply.statusCode !== 200 || typeof text !== 'string') {
      done(null, text);
      return;
    }
    documents.set(request.routeOptions.url ?? '', { type: reply.getHeader('Content-Type'), text });
    done(null, text.replace(SERVER_URL, request.forwardedPrefix || '/'));
  };
  fastify.addHook('onRoute', (route) => {
    if (!DOCUMENT_ROUTE.test(route.url)) return;
    route.preHandler = sendCached;
    // Before Fastify's own hook for HEAD, which removes the body.
    route.onSend = [setServerUrl, ...[route.onSend ?? []].flat()];
  });
}

/**
 * Serves Swagger UI at `/docs` and the OpenAPI document at `/docs-json` and `/docs-yaml`, and redirects `/` to `/docs`.
 */
export function serveOpenApi(app: NestFastifyApplication): void {
  SwaggerModule.setup('docs', app, () => buildOpenApiDocument(app), {
    jsonDocumentUrl: 'docs-json',
    yamlDocumentUrl: 'docs-yaml',
    customSiteTitle: 'Phones API',
  });
  // Relative, as a proxy may have removed the start of the path without telling so.
  app
    .getHttpAdapter()
    .getInstance()
    .get('/', ({ forwardedPrefix }, reply) =>
      reply.redirect(forwardedPrefix === '' ? 'docs' : `${forwardedPrefix}/docs`),
    );
}

import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { addSecuritySchemes, describeSecurity } from './auth/auth.openapi.js';
import { describeEntityTags } from './common/etag.openapi.js';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';

const DESCRIPTION = `
The phone numbers of the organizations, opportunities and locations of a directory of human services.

An owner has at most one primary number: making one primary makes every other one of that owner not primary.
What was written as a number is kept, character for character. Whatever is refused is answered with a problem
document (RFC 9457), which names every fault at once.`;

/** Describes the application from its decorators. */
function buildOpenApiDocument(app: NestFastifyApplication): OpenAPIObject {
  const config = addSecuritySchemes(new DocumentBuilder())
    .setTitle('Phones')
    .setDescription(DESCRIPTION.trim())
    .setVersion('1.0.0')
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/')
    .addTag('Phones of organizations', 'The phone numbers of an organization.')
    .addTag('Phones of opportunities', 'The phone numbers of what an organization offers.')
    .addTag('Phones of locations', 'The phone numbers of the places where people go.')
    .addTag('Organizations', 'The organizations of the directory.')
    .addTag('Opportunities', 'What the organizations offer.')
    .addTag('Locations', 'Where people go.')
    .addTag('Clients', 'Who may use the API, and their keys. For admins.')
    .addTag('Health', 'For load balancers and orchestrators.')
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    operationIdFactory: (_controller, method) => method,
  });
  return describeSecurity(describeEntityTags(document), app);
}

/** Serves Swagger UI at `/docs`, the document at `/docs-json` and `/docs-yaml`, and leads there from `/`. */
export function serveOpenApi(app: NestFastifyApplication): void {
  SwaggerModule.setup('docs', app, () => buildOpenApiDocument(app), {
    jsonDocumentUrl: 'docs-json',
    yamlDocumentUrl: 'docs-yaml',
    customSiteTitle: 'Phones API',
  });
  app
    .getHttpAdapter()
    .getInstance()
    .get('/', (_request, reply) => reply.redirect('/docs'));
}

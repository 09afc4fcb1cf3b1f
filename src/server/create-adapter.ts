import type { RequestListener } from 'node:http';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type FastifyBaseLogger, LogController } from 'fastify';
import { authorizeRequests } from '../auth/authorize-requests.js';
import { SecurityLog } from '../auth/security-log.js';
import { setEntityTags } from '../common/etag.js';
import { decorateForwardedPrefix } from '../common/forwarded-prefix.js';
import { setLocationHeader } from '../common/location-header.js';
import { rejectUnsupportedHeaders } from '../common/supported-headers.js';
import type { Environment } from '../config/environment.js';
import { cacheDocuments } from '../openapi.js';
import { AllowedMethods, ROUTER_OPTIONS } from './allowed-methods.js';
import { registerCors } from './cors.js';
import { checkHosts } from './host-check.js';
import { createHttpServer } from './http-server.js';
import { registerJsonBodyParser } from './json-body-parser.js';
import { shedLoad } from './load-shedding.js';
import { serializeError } from './pino-logger.js';
import { ProblemDetailsFilter } from './problem-details.filter.js';
import { handleClientError, rejectConnect } from './raw-responses.js';
import { checkRequestHeads, checkUrls, routeMalformedUrl } from './request-head.js';
import { createRequestId, setRequestIdHeader } from './request-id.js';
import { setSecurityHeaders } from './security-headers.js';
import { closeConnectionsOnShutdown } from './shutdown.js';
import { UnreadResponses } from './unread-responses.js';

/** The largest body, in bytes. */
const BODY_LIMIT = 64 * 1024;

/** Creates Nest's adapter to Fastify, with nothing registered yet. */
export function createAdapter({ LOG_LEVEL, REQUEST_TIMEOUT, TRUST_PROXY }: Environment): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: BODY_LIMIT,
    clientErrorHandler: handleClientError,
    frameworkErrors: routeMalformedUrl,
    genReqId: createRequestId,
    // The reverse proxy writes the access log. Here it would cost up to a quarter of the throughput.
    logController: new LogController({ disableRequestLogging: true }),
    logger: { level: LOG_LEVEL, base: null, serializers: { err: serializeError } },
    // Requests are not logged, so they need no logger of their own.
    childLoggerFactory: (logger: FastifyBaseLogger) => logger,
    // During a shutdown, requests on open connections are processed, not rejected with 503.
    return503OnClosing: false,
    routerOptions: ROUTER_OPTIONS,
    // The service has no middleware.
    skipMiddie: true,
    serverFactory: (handler: RequestListener) => createHttpServer(handler, REQUEST_TIMEOUT),
    trustProxy: TRUST_PROXY ?? false,
  });
}

/**
 * Registers everything on Fastify that runs before or after a handler. Hooks of one kind run in this order, and nothing
 * is registered elsewhere. Hooks, and not interceptors: they run before the body is read, and an interceptor costs a
 * quarter of the throughput of lists.
 *
 * Must be called before the first route is registered, which Nest does in `app.init()`.
 */
export async function registerHooks(app: NestFastifyApplication, environment: Environment): Promise<void> {
  const { CORS_ORIGINS, REQUEST_TIMEOUT, TRUST_PROXY } = environment;
  const fastify = app.getHttpAdapter().getInstance();

  // Collects the routes, so that the error responses below can list the methods of a path.
  const allowedMethods = new AllowedMethods(fastify);
  app.useGlobalFilters(new ProblemDetailsFilter(allowedMethods, app.get(SecurityLog)));
  decorateForwardedPrefix(fastify, TRUST_PROXY);

  // Before anything can respond, so that every response has these headers.
  setRequestIdHeader(fastify);
  setSecurityHeaders(fastify);
  const unreadResponses = new UnreadResponses(fastify.log);
  // Before load shedding: an ambiguous request closes its connection, even while the service is overloaded.
  checkRequestHeads(fastify, unreadResponses);
  // Before all work that can be avoided. Also ends requests after REQUEST_TIMEOUT.
  shedLoad(fastify, REQUEST_TIMEOUT, unreadResponses);
  // Before CORS, so that pages of other hosts cannot even send preflight requests.
  checkHosts(fastify, environment);
  // Before authentication, as browsers send no key with a preflight request. The route for preflight requests has no
  // exception filter, so the hooks above send their error responses themselves.
  if (CORS_ORIGINS !== undefined) await registerCors(fastify, CORS_ORIGINS);
  // Before authentication, which would query the database for nothing.
  checkUrls(fastify);
  // Likewise.
  rejectUnsupportedHeaders(fastify);
  // Before the body is read: a client without permission must not make the service wait for one.
  await authorizeRequests(app, environment);
  // Then the body is read, the guard authorizes a write again, and the handler runs.
  registerJsonBodyParser(fastify);
  // After the handler, as it needs the object that the handler returned.
  setLocationHeader(fastify);
  // During a shutdown, each response closes its connection.
  closeConnectionsOnShutdown(fastify, REQUEST_TIMEOUT);
  // Adds an onSend hook to each GET route. It runs after those above, as an entity tag may be a hash of the body.
  setEntityTags(fastify);
  // Adds hooks to the routes of the OpenAPI document alone.
  cacheDocuments(fastify);
  // An event of the server, not a hook, as CONNECT requests do not reach Fastify.
  rejectConnect(fastify);
}

import type { RequestListener } from 'node:http';
import { Logger, VersioningType } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type FastifyBaseLogger, LogController } from 'fastify';
import dataSource from '../ormconfig.js';
import { identifyCallers } from './access/identify-callers.js';
import { registerRateLimit } from './access/rate-limits.service.js';
import { AppModule } from './app.module.js';
import { loadEnvironment } from './config/environment.js';
import { AllowedMethods, ROUTER_OPTIONS } from './http/allowed-methods.js';
import { checkHeads, createHttpServer } from './http/connections.js';
import { tagAnswers } from './http/entity-tags.js';
import { registerCors } from './http/cors.js';
import { answerClientError, answerFrameworkError, refuseConnect } from './http/framework-errors.js';
import { parseJsonBodies } from './http/json-body.js';
import { closeConnectionsOnShutdown, SHUTDOWN_SIGNALS } from './http/shutdown.js';
import { PinoLogger } from './http/pino-logger.js';
import { ProblemFilter } from './http/problem.filter.js';
import { locateCreated } from './http/location-header.js';
import { limitRequests } from './http/request-limits.js';
import { setSecurityHeaders } from './http/security-headers.js';
import { refuseUntakenHeaders } from './http/taken-headers.js';
import { limitUrls } from './http/url-limit.js';
import { serveOpenApi } from './openapi.js';

/** The largest body, in bytes. */
const BODY_LIMIT = 64 * 1024;

/**
 * Opens the database, migrates it and builds the application, ready to listen.
 *
 * @throws StartError for a wrong setting, or when there is no usable database
 */
export async function createApp(): Promise<NestFastifyApplication> {
  const { CORS_ORIGINS, LOG_LEVEL, REQUEST_TIMEOUT, TRUST_PROXY } = loadEnvironment();
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_LIMIT,
    clientErrorHandler: answerClientError,
    frameworkErrors: answerFrameworkError,
    // A line for each request is the reverse proxy's to write; here it would be most of the work.
    logController: new LogController({ disableRequestLogging: true }),
    logger: { level: LOG_LEVEL, base: null },
    // Nor is a logger of its own made for each request.
    childLoggerFactory: (logger: FastifyBaseLogger) => logger,
    // What is under way when the service shuts down is still answered.
    return503OnClosing: false,
    routerOptions: ROUTER_OPTIONS,
    // There is no middleware for it to run.
    skipMiddie: true,
    serverFactory: (handler: RequestListener) => createHttpServer(handler, REQUEST_TIMEOUT),
    trustProxy: TRUST_PROXY ?? false,
  });
  const fastify = adapter.getInstance();
  const allowedMethods = new AllowedMethods(fastify);
  setSecurityHeaders(fastify);
  // Before the limits: behind a head that is not clear nothing is done, however much there is to do.
  checkHeads(fastify);
  limitRequests(fastify, REQUEST_TIMEOUT);
  // Behind the limits, in front of the keys: a browser sends no key with a preflight.
  if (CORS_ORIGINS !== undefined) await registerCors(fastify, CORS_ORIGINS);
  refuseConnect(fastify);
  limitUrls(fastify);
  refuseUntakenHeaders(fastify);
  tagAnswers(fastify);
  locateCreated(fastify);
  parseJsonBodies(fastify);
  await registerRateLimit(fastify);
  Logger.overrideLogger(new PinoLogger(fastify.log));

  await dataSource.initialize();
  await dataSource.runMigrations();

  const app = await NestFactory.create<NestFastifyApplication>(AppModule, adapter, {
    abortOnError: false,
    bodyParser: false,
  });
  identifyCallers(app);
  app.enableVersioning({ type: VersioningType.URI });
  app.useGlobalFilters(new ProblemFilter(allowedMethods));
  app.enableShutdownHooks([...SHUTDOWN_SIGNALS], { useProcessExit: true });
  serveOpenApi(app);
  closeConnectionsOnShutdown(fastify, REQUEST_TIMEOUT);
  return app;
}

import type { RequestListener } from 'node:http';
import { Logger, VersioningType } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type FastifyBaseLogger, LogController } from 'fastify';
import dataSource from '../ormconfig.js';
import { authenticateRequests } from './auth/authenticate.js';
import { registerRateLimit } from './auth/rate-limits.service.js';
import { AppModule } from './app.module.js';
import { loadEnvironment } from './config/environment.js';
import { AllowedMethods, ROUTER_OPTIONS } from './server/allowed-methods.js';
import { createHttpServer } from './server/http-server.js';
import { setEntityTags } from './common/etag.js';
import { registerCors } from './server/cors.js';
import { handleClientError, handleFrameworkError, rejectConnect } from './server/raw-responses.js';
import { registerJsonBodyParser } from './server/json-body-parser.js';
import { closeConnectionsOnShutdown, SHUTDOWN_SIGNALS } from './server/shutdown.js';
import { PinoLogger } from './server/pino-logger.js';
import { ProblemDetailsFilter } from './server/problem-details.filter.js';
import { setLocationHeader } from './common/location-header.js';
import { shedLoad } from './server/load-shedding.js';
import { setSecurityHeaders } from './server/security-headers.js';
import { rejectUnsupportedHeaders } from './common/supported-headers.js';
import { checkRequestHeads, limitUrlLength } from './server/request-head.js';
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
    clientErrorHandler: handleClientError,
    frameworkErrors: handleFrameworkError,
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
  checkRequestHeads(fastify);
  shedLoad(fastify, REQUEST_TIMEOUT);
  // Behind the limits, in front of the keys: a browser sends no key with a preflight.
  if (CORS_ORIGINS !== undefined) await registerCors(fastify, CORS_ORIGINS);
  rejectConnect(fastify);
  limitUrlLength(fastify);
  rejectUnsupportedHeaders(fastify);
  setEntityTags(fastify);
  setLocationHeader(fastify);
  registerJsonBodyParser(fastify);
  await registerRateLimit(fastify);
  Logger.overrideLogger(new PinoLogger(fastify.log));

  await dataSource.initialize();
  await dataSource.runMigrations();

  const app = await NestFactory.create<NestFastifyApplication>(AppModule, adapter, {
    abortOnError: false,
    bodyParser: false,
  });
  authenticateRequests(app);
  app.enableVersioning({ type: VersioningType.URI });
  app.useGlobalFilters(new ProblemDetailsFilter(allowedMethods));
  app.enableShutdownHooks([...SHUTDOWN_SIGNALS], { useProcessExit: true });
  serveOpenApi(app);
  closeConnectionsOnShutdown(fastify, REQUEST_TIMEOUT);
  return app;
}

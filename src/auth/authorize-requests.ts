import { HttpException } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Environment } from '../config/environment.js';
import { AuthenticationService, hasCredentials } from './authentication.service.js';
import { RateLimits } from './rate-limits.js';

/**
 * Authenticates each request and counts it against the rate limit of its client. Whether an authentication error matters
 * depends on the route, so the guard throws it. Health checks and Swagger UI are public and not limited.
 */
export async function registerAuthentication(
  app: NestFastifyApplication,
  environment: Environment,
): Promise<void> {
  const fastify = app.getHttpAdapter().getInstance();
  const authentication = app.get(AuthenticationService);
  const rateLimits = await RateLimits.register(fastify, environment);
  fastify.decorateRequest('client');
  fastify.decorateRequest('authenticationError');

  const authenticate = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    try {
      request.client = await authentication.authenticate(request);
    } catch (error) {
      if (!(error instanceof HttpException)) throw error;
      request.authenticationError = error;
    }
    await rateLimits.limiterFor(request.method)?.(request, reply);
  };
  fastify.addHook('onRequest', (request, reply, done) => {
    const isNeeded = hasCredentials(request) || rateLimits.limiterFor(request.method) !== undefined;
    // Public reads need no promise.
    if (!isNeeded || isOutsideApi(request)) done();
    else
      void authenticate(request, reply).then(() => {
        done();
      }, done);
  });
}

/** Whether a request is for a health check or Swagger UI. Unmatched routes are rate-limited too. */
function isOutsideApi({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.url?.startsWith('/v1/') === false;
}

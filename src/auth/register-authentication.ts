import { HttpException } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import type { Environment } from '../config/environment.js';
import { AuthenticationService } from './authentication.service.js';
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

  fastify.addHook('onRequest', async (request, reply) => {
    if (isOutsideApi(request)) return;
    try {
      request.client = await authentication.authenticate(request);
    } catch (error) {
      if (!(error instanceof HttpException)) throw error;
      request.authenticationError = error;
    }
    await rateLimits.limiterFor(request.method)?.(request, reply);
  });
}

/** Whether a request is for a health check or Swagger UI. Unmatched routes are rate-limited too. */
function isOutsideApi({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.url?.startsWith('/v1/') === false;
}

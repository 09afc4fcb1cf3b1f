import { HttpException } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AuthenticationService, hasCredentials } from './authentication.service.js';
import { RateLimitsService } from './rate-limits.service.js';

/**
 * Finds out who sends each request, and counts it against their limit, before its body is read: so what is then
 * refused for its body is counted, too. The health checks and Swagger UI are for everyone, as often as they like.
 */
export function authenticateRequests(app: NestFastifyApplication): void {
  const authentication = app.get(AuthenticationService);
  const rateLimits = app.get(RateLimitsService);
  const fastify = app.getHttpAdapter().getInstance();
  fastify.decorateRequest('client');
  fastify.decorateRequest('authenticationError');
  const identify = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    try {
      request.client = await authentication.authenticate(request);
    } catch (error) {
      if (!(error instanceof HttpException)) throw error;
      request.authenticationError = error;
    }
    await rateLimits.count(request, reply);
  };
  fastify.addHook('onRequest', (request, reply, done) => {
    // Most requests go on without a promise.
    if (!(hasCredentials(request) || rateLimits.isLimited(request)) || isPublic(request)) done();
    else
      void identify(request, reply).then(() => {
        done();
      }, done);
  });
}

/** What leads nowhere has no route, and is counted. */
function isPublic({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.url?.startsWith('/v1/') === false;
}

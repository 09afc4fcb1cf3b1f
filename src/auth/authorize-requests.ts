import { NotFoundException } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest, HookHandlerDoneFunction } from 'fastify';
import type { Environment } from '../config/environment.js';
import { type AccessPolicy, accessPolicy } from './access-policy.js';
import { hasCredentials } from './authentication.service.js';
import { AuthorizationService } from './authorization.service.js';
import { RateLimits } from './rate-limits.js';
import { findRouteHandlers } from './route-handlers.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Absent for routes outside the controllers, such as those of Swagger UI, and for unmatched routes. */
    accessPolicy?: AccessPolicy;
  }
}

/** The policy of unmatched routes, which are rate-limited too, and of those outside the controllers, which are not. */
const PUBLIC: AccessPolicy = { permission: 'none', requiresKey: false, acceptsKey: false };

/**
 * Authorizes each request before its body is read, so that a client without permission cannot make the service wait for
 * a body. Health checks and Swagger UI are public and not limited.
 *
 * @throws Error when a route is registered under `/v1` whose access policy is unknown
 */
export async function authorizeRequests(
  app: NestFastifyApplication,
  environment: Environment,
): Promise<void> {
  const fastify = app.getHttpAdapter().getInstance();
  const authorization = app.get(AuthorizationService);
  const rateLimits = await RateLimits.register(fastify, environment);
  const handlers = findRouteHandlers(app);
  fastify.decorateRequest('client');

  fastify.addHook('onRoute', (route) => {
    // Nest names the handler of a route `Controller.method`.
    const handler = handlers.get(route.handler.name.split('.')[1] ?? '');
    if (handler !== undefined) {
      const policy = accessPolicy(handler, String(route.method), environment.REQUIRE_API_KEY);
      route.config = { ...route.config, accessPolicy: policy };
    } else if (route.url.startsWith('/v1/')) {
      throw new Error(`There is no handler for the route ${route.url}.`);
    }
  });

  fastify.addHook('onRequest', (request, reply, done) => {
    const policy = request.routeOptions.config.accessPolicy ?? PUBLIC;
    if (policy.permission === 'none' && !request.is404) {
      done();
      return;
    }
    // Caches must revalidate, as phone numbers change, and must not share a response that required a key.
    if (!request.is404) reply.header('Cache-Control', policy.requiresKey ? 'private, no-cache' : 'no-cache');
    const rateLimit = rateLimits.limitFor(request.method);
    // Public reads need no promise.
    if (!policy.requiresKey && rateLimit === undefined && !hasCredentials(request)) {
      proceed(request, done);
    } else {
      void authorization.authorize(request, reply, policy, rateLimit).then(() => {
        proceed(request, done);
      }, done);
    }
  });
}

/** Rejects an unmatched request here, because Fastify would read its body before its own 404. */
function proceed({ is404 }: FastifyRequest, done: HookHandlerDoneFunction): void {
  if (is404) done(new NotFoundException());
  else done();
}

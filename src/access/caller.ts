import { createParamDecorator, type ExecutionContext, type HttpException } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { IdOrSlug } from '../http/path-ids.js';
import { UnauthenticatedException } from '../http/problem.js';

/** Who sent a request, as its key says. */
export interface Caller {
  /** The client that the key belongs to; `ADMIN_API_KEY` belongs to none. */
  client_id?: number;
  key_id?: number;
  is_admin: boolean;
  /** The IDs of the organizations that the client may manage, by what a path may name them: ID and slug. */
  organizations: ReadonlyMap<IdOrSlug, number>;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sent the request; undefined without a key, and with one that is not good. */
    caller?: Caller;
    /** What is wrong with the key that was sent; whether that matters depends on the route. */
    keyRefusal?: HttpException;
  }
}

/** The caller of a request to a route that needs a key. */
export const CurrentCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<FastifyRequest>();
  if (caller === undefined) throw new UnauthenticatedException();
  return caller;
});

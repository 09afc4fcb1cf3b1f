import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { IdOrSlug } from '../http/path-ids.js';

/** Who sent a request, as its key says. */
export interface Caller {
  /** The client that the key belongs to; none has that of `ADMIN_API_KEY`. */
  client_id?: number;
  key_id?: number;
  is_admin: boolean;
  /** What the client may manage, by ID and by slug, as a path may name it. */
  organizations: ReadonlySet<IdOrSlug>;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the access guard; undefined for a request without a key. */
    caller?: Caller;
  }
}

/** The caller of a request to a route that needs a key. */
export const CurrentCaller = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<FastifyRequest>().caller,
);

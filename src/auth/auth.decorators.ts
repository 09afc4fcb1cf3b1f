import { createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { UnauthenticatedException } from '../common/problem-details.js';
import type { AuthenticatedClient } from './authenticated-client.js';

/**
 * What a route requires: nothing, a client that may read, one that may manage the organization in the path, or an
 * admin.
 */
export type Permission = 'none' | 'read' | 'manage' | 'admin';

export const PERMISSION = 'auth:permission';
export const REQUIRES_API_KEY = 'auth:requires API key';

/** The route needs no key. */
export const Public = () => SetMetadata<string, Permission>(PERMISSION, 'none');

/** If the route requires a key, it must be that of an admin. */
export const AdminsOnly = () => SetMetadata<string, Permission>(PERMISSION, 'admin');

/** The route requires a key whatever `REQUIRE_API_KEY` says. */
export const RequireApiKey = () => SetMetadata(REQUIRES_API_KEY, true);

/** The client that sent the request, on a route that requires a key. */
export const CurrentClient = createParamDecorator(
  (_: unknown, context: ExecutionContext): AuthenticatedClient => {
    const { client } = context.switchToHttp().getRequest<FastifyRequest>();
    if (client === undefined) throw new UnauthenticatedException();
    return client;
  },
);

import {
  type CanActivate,
  type ExecutionContext,
  ForbiddenException,
  Inject,
  Injectable,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { toIdOrSlug } from '../common/path-params.js';
import { UnauthenticatedException } from '../common/problem-details.js';
import { type Environment, environmentConfig } from '../config/environment.js';
import { accessPolicy } from './access-policy.js';
import type { Permission } from './auth.decorators.js';
import type { AuthenticatedClient } from './authenticated-client.js';

/** Lets a request reach its handler if its client has the permission that the route requires. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(@Inject(environmentConfig.KEY) private readonly environment: Environment) {}

  /**
   * @throws UnauthenticatedException when a key is required and absent, or when the key is invalid
   * @throws BadRequestException when the request has two different keys
   * @throws ForbiddenException when the client lacks the permission
   */
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    const { permission, requiresKey, acceptsKey } = accessPolicy(
      context.getClass(),
      context.getHandler(),
      request.method,
      this.environment.REQUIRE_API_KEY,
    );
    if (permission === 'none') return true;

    // Caches must revalidate, as phone numbers change, and must not share a response that required a key.
    reply.header('Cache-Control', requiresKey ? 'private, no-cache' : 'no-cache');
    if (acceptsKey && request.authenticationError !== undefined) throw request.authenticationError;
    if (!requiresKey) return true;
    if (request.client === undefined) throw new UnauthenticatedException();
    checkPermission(permission, request.client, request.params as { organization_id?: string });
    return true;
  }
}

/** @throws ForbiddenException naming the missing permission, whether or not the resource exists */
function checkPermission(
  permission: Permission,
  { is_admin, organizations }: AuthenticatedClient,
  params: { organization_id?: string },
): void {
  if (is_admin || permission === 'read') return;
  if (permission === 'admin' || params.organization_id === undefined) {
    throw new ForbiddenException('This requires the API key of an admin.');
  }
  const id = organizations.get(toIdOrSlug(params.organization_id) ?? '');
  if (id === undefined) {
    throw new ForbiddenException(
      'The client of this API key may not manage this organization: it is not among its organization_ids.',
    );
  }
  // Passes the verified ID to the handler: if the organization is deleted meanwhile, another one can take over its slug.
  params.organization_id = String(id);
}

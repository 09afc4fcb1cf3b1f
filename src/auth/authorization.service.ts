import { BadRequestException, ForbiddenException, type HttpException, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { toIdOrSlug } from '../common/path-params.js';
import { UnauthenticatedException } from '../common/problem-details.js';
import type { AccessPolicy } from './access-policy.js';
import type { Permission } from './auth.decorators.js';
import type { AuthenticatedClient } from './authenticated-client.js';
import { AuthenticationService } from './authentication.service.js';
import type { RateLimit } from './rate-limits.js';

/** Decides whether the client that sent a request may do what it asks for. */
@Injectable()
export class AuthorizationService {
  constructor(private readonly authentication: AuthenticationService) {}

  /**
   * Authenticates the client of a request, counts the request, and checks the permission of the client.
   *
   * @param rateLimit the rate limit, if the request must be counted
   * @throws UnauthenticatedException when a key is required and absent, or when the key is invalid
   * @throws BadRequestException when the request has two different keys
   * @throws HttpException with status 429 when the client or its address exceeds its rate limit
   * @throws ForbiddenException when the client lacks the permission
   */
  async authorize(
    request: FastifyRequest,
    reply: FastifyReply,
    policy: AccessPolicy,
    rateLimit?: RateLimit,
  ): Promise<void> {
    let keyError: HttpException | undefined;
    try {
      request.client = await this.authentication.authenticate(request, async () => {
        if (await rateLimit?.isUsedUp(request)) await rateLimit?.count(request, reply);
      });
    } catch (error) {
      if (!(error instanceof UnauthenticatedException) && !(error instanceof BadRequestException))
        throw error;
      keyError = error;
    }
    await rateLimit?.count(request, reply);
    if (policy.acceptsKey && keyError !== undefined) throw keyError;
    if (policy.requiresKey) checkPermission(policy.permission, request);
  }
}

/**
 * Checks the permission, and replaces the organization in the path by its verified ID.
 *
 * @throws UnauthenticatedException when the request has no key
 * @throws ForbiddenException naming the missing permission, whether or not the resource exists
 */
function checkPermission(permission: Permission, { client, params }: FastifyRequest): void {
  if (client === undefined) throw new UnauthenticatedException();
  if (client.is_admin || permission === 'read') return;
  const path = params as { organization_id?: string };
  if (permission === 'admin' || path.organization_id === undefined) {
    throw new ForbiddenException('This requires the API key of an admin.');
  }
  // The handler gets the verified ID: if the organization is deleted meanwhile, another one can take over its slug.
  path.organization_id = String(findManagedOrganization(client, path.organization_id));
}

/**
 * @returns the ID of the organization
 * @throws ForbiddenException when the client may not manage it
 */
function findManagedOrganization({ organizations }: AuthenticatedClient, idOrSlug: string): number {
  const id = organizations.get(toIdOrSlug(idOrSlug) ?? '');
  if (id === undefined) {
    throw new ForbiddenException(
      'The client of this API key may not manage this organization: it is not among its organization_ids.',
    );
  }
  return id;
}

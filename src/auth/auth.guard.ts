import {
  type CanActivate,
  type ExecutionContext,
  ForbiddenException,
  Inject,
  Injectable,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Environment, environmentConfig } from '../config/environment.js';
import { toIdOrSlug } from '../common/path-params.js';
import { UnauthenticatedException } from '../common/problem-details.js';
import { type AccessPolicy, accessPolicy } from './access-policy.js';
import type { Permission } from './auth.decorators.js';
import type { AuthenticatedClient } from './authenticated-client.js';

/** Lets a request through to its handler if its caller may send it. */
@Injectable()
export class AuthGuard implements CanActivate {
  /** The rule of each handler of each controller, worked out when it is first called. */
  private readonly rules = new Map<object, Map<object, AccessPolicy>>();

  constructor(@Inject(environmentConfig.KEY) private readonly environment: Environment) {}

  /**
   * @throws UnauthenticatedException without a key that is good, where one is needed or one was sent
   * @throws BadRequestException with two different keys
   * @throws ForbiddenException when the caller has not the right
   */
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    const { permission, needsKey, acceptsKey } = this.ruleOf(context, request.method);
    if (permission === 'none') return true;

    // Numbers must not be stale anywhere, and what needed a key is for its caller alone.
    reply.header('Cache-Control', needsKey ? 'private, no-cache' : 'no-cache');
    if (acceptsKey && request.authenticationError !== undefined) throw request.authenticationError;
    if (!needsKey) return true;
    if (request.client === undefined) throw new UnauthenticatedException();
    checkPermission(permission, request.client, request.params as { organization_id?: string });
    return true;
  }

  /** A handler has one method, but for HEAD, which is GET. */
  private ruleOf(context: ExecutionContext, method: string): AccessPolicy {
    const controller = context.getClass();
    const handler = context.getHandler();
    let rules = this.rules.get(controller);
    if (rules === undefined) this.rules.set(controller, (rules = new Map<object, AccessPolicy>()));
    let rule = rules.get(handler);
    if (rule === undefined) {
      rule = accessPolicy(controller, handler, method, this.environment.REQUIRE_API_KEY);
      rules.set(handler, rule);
    }
    return rule;
  }
}

/** @throws ForbiddenException saying what is missing, whether or not there is what the path names */
function checkPermission(
  right: Permission,
  { is_admin, organizations }: AuthenticatedClient,
  params: { organization_id?: string },
): void {
  if (is_admin || right === 'read') return;
  if (right === 'admin' || params.organization_id === undefined) {
    throw new ForbiddenException('Only an admin may do this, and the client of this key is not one.');
  }
  const id = organizations.get(toIdOrSlug(params.organization_id) ?? '');
  if (id === undefined) {
    throw new ForbiddenException(
      'The client of this key may not manage this organization: it is not among its organization_ids.',
    );
  }
  // By ID from here on: should the organization be deleted now, another one could take its slug.
  params.organization_id = String(id);
}

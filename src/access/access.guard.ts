import {
  type CanActivate,
  type ExecutionContext,
  ForbiddenException,
  Inject,
  Injectable,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Environment, environmentConfig } from '../config/environment.js';
import { idOrSlug } from '../http/path-ids.js';
import { UnauthenticatedException } from '../http/problem.js';
import { type AccessRule, accessRule, type Right } from '../http/access-rules.js';
import type { Caller } from './caller.js';

/** Lets a request through to its handler if its caller may send it. */
@Injectable()
export class AccessGuard implements CanActivate {
  /** The rule of each handler of each controller, worked out when it is first called. */
  private readonly rules = new Map<object, Map<object, AccessRule>>();

  constructor(@Inject(environmentConfig.KEY) private readonly environment: Environment) {}

  /**
   * @throws UnauthenticatedException without a key that is good, where one is needed or one was sent
   * @throws BadRequestException with two different keys
   * @throws ForbiddenException when the caller has not the right
   */
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    const { right, needsKey, takesKey } = this.ruleOf(context, request.method);
    if (right === 'none') return true;

    // Numbers must not be stale anywhere, and what needed a key is for its caller alone.
    reply.header('Cache-Control', needsKey ? 'private, no-cache' : 'no-cache');
    if (takesKey && request.keyRefusal !== undefined) throw request.keyRefusal;
    if (!needsKey) return true;
    if (request.caller === undefined) throw new UnauthenticatedException();
    checkRight(right, request.caller, request.params as { organization_id?: string });
    return true;
  }

  /** A handler has one method, but for HEAD, which is GET. */
  private ruleOf(context: ExecutionContext, method: string): AccessRule {
    const controller = context.getClass();
    const handler = context.getHandler();
    let rules = this.rules.get(controller);
    if (rules === undefined) this.rules.set(controller, (rules = new Map<object, AccessRule>()));
    let rule = rules.get(handler);
    if (rule === undefined) {
      rule = accessRule(controller, handler, method, this.environment.REQUIRE_API_KEY);
      rules.set(handler, rule);
    }
    return rule;
  }
}

/** @throws ForbiddenException saying what is missing, whether or not there is what the path names */
function checkRight(
  right: Right,
  { is_admin, organizations }: Caller,
  params: { organization_id?: string },
): void {
  if (is_admin || right === 'read') return;
  if (right === 'admin' || params.organization_id === undefined) {
    throw new ForbiddenException('Only an admin may do this, and the client of this key is not one.');
  }
  const id = organizations.get(idOrSlug(params.organization_id) ?? '');
  if (id === undefined) {
    throw new ForbiddenException(
      'The client of this key may not manage this organization: it is not among its organization_ids.',
    );
  }
  // By ID from here on: should the organization be deleted now, another one could take its slug.
  params.organization_id = String(id);
}

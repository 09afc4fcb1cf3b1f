import {
  type CanActivate,
  type ExecutionContext,
  ForbiddenException,
  HttpException,
  Inject,
  Injectable,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Environment, environmentConfig, type KeyMode } from '../config/environment.js';
import { idOrSlug } from '../http/path-ids.js';
import { accessRule, type Right } from './access-rules.js';
import { AuthenticationService, UnauthenticatedException } from './authentication.service.js';
import type { Caller } from './caller.js';
import { RateLimits } from './rate-limits.js';

/** Lets a request through to its handler: who is it, is it not too often, may they? */
@Injectable()
export class AccessGuard implements CanActivate {
  private readonly mode: KeyMode;

  constructor(
    private readonly authentication: AuthenticationService,
    private readonly rateLimits: RateLimits,
    @Inject(environmentConfig.KEY) { REQUIRE_API_KEY = 'never' }: Environment,
  ) {
    this.mode = REQUIRE_API_KEY;
  }

  /**
   * @throws UnauthenticatedException without a key that is good, where one is needed or one was sent
   * @throws HttpException 429 when the caller is over the rate limit
   * @throws ForbiddenException when the caller has not the right
   */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    const { right, needsKey } = accessRule(
      context.getClass(),
      context.getHandler(),
      request.method,
      this.mode,
    );
    if (right === 'none') return true;

    // Numbers must not be stale anywhere, and what needed a key is for its caller alone.
    reply.header('Cache-Control', needsKey ? 'private, no-cache' : 'no-cache');
    const refusal = await this.identify(request, needsKey);
    await this.rateLimits.count(request, reply);
    if (refusal !== undefined) {
      if (refusal instanceof UnauthenticatedException) reply.header('WWW-Authenticate', refusal.challenge);
      throw refusal;
    }
    if (needsKey && request.caller !== undefined) checkRight(right, request.caller, request);
    return true;
  }

  /**
   * Sets the caller of a request.
   *
   * @returns what is wrong with the key, or with there being none: that is answered once the request is counted
   */
  private async identify(request: FastifyRequest, needsKey: boolean): Promise<HttpException | undefined> {
    // Where no key is needed at all, an Authorization header may be meant for the proxy in front.
    if (this.mode === 'never' && !needsKey) return undefined;
    try {
      request.caller = await this.authentication.identify(request);
    } catch (error) {
      if (error instanceof HttpException) return error;
      throw error;
    }
    return needsKey && request.caller === undefined
      ? new UnauthenticatedException('This needs an API key.')
      : undefined;
  }
}

/** @throws ForbiddenException saying what is missing, whether or not there is what the path names */
function checkRight(right: Right, { is_admin, organizations }: Caller, { params }: FastifyRequest): void {
  if (is_admin || right === 'read') return;
  const { organization_id } = params as { organization_id?: string };
  if (right === 'admin' || organization_id === undefined) {
    throw new ForbiddenException('Only an admin may do this, and the client of this key is none.');
  }
  const organization = idOrSlug(organization_id);
  if (organization === undefined || !organizations.has(organization)) {
    throw new ForbiddenException(
      'The client of this key may not manage this organization: it is not among its organization_ids.',
    );
  }
}

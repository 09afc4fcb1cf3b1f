import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isRead } from '../common/http-methods.js';
import { AuthorizationService } from './authorization.service.js';

/**
 * Authorizes a write again once its body is there. Until then the key may have been revoked, as a body can take seconds
 * to arrive. The client is usually still cached, so this costs little.
 */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(private readonly authorization: AuthorizationService) {}

  /** @throws the exceptions of {@link AuthorizationService.authorize} */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const { accessPolicy } = request.routeOptions.config;
    if (accessPolicy === undefined) throw new Error('This route has not been authorized.');
    if (!accessPolicy.requiresKey || isRead(request.method)) return true;
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    return this.authorization.authorize(request, reply, accessPolicy).then(() => true);
  }
}

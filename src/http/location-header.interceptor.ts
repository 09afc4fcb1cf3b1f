import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Observable, tap } from 'rxjs';

/** Says in `Location` where the resource is that a POST created (RFC 9110, section 15.3.2). */
export class LocationHeaderInterceptor implements NestInterceptor<{ id: number }> {
  intercept(context: ExecutionContext, next: CallHandler<{ id: number }>): Observable<{ id: number }> {
    const { url } = context.switchToHttp().getRequest<FastifyRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    const collection = url.replace(/[?#].*$/s, '').replace(/\/$/, '');
    return next.handle().pipe(tap(({ id }) => void reply.header('Location', `${collection}/${id}`)));
  }
}

import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { IsIn, IsOptional } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import { RequestValidationPipe } from '../common/request-validation.pipe.js';

class IncludeQuery {
  @IsOptional()
  @IsIn(['dialing'], { message: 'must be dialing' })
  include?: 'dialing';
}

const pipe = new RequestValidationPipe();

/**
 * Whether a read of phones has `include=dialing`. Only a request with a query pays for its validation.
 *
 * @throws ValidationException when the query has another value or parameter
 */
export const IncludesDialing = createParamDecorator((_: unknown, context: ExecutionContext): boolean => {
  const { url, query } = context.switchToHttp().getRequest<FastifyRequest>();
  if (!url.includes('?')) return false;
  const { include } = pipe.transform(query, { type: 'query', metatype: IncludeQuery }) as IncludeQuery;
  return include !== undefined;
});

import { BadRequestException, PreconditionFailedException } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiHeader, type ApiHeaderOptions } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { isRead } from './http-methods.js';

/** The headers that change what a write does, and which only some routes take. */
type ConditionalHeader = 'If-Match' | 'Idempotency-Key';

declare module 'fastify' {
  interface FastifyContextConfig {
    takes?: ConditionalHeader;
  }
}

/**
 * For a parameter decorator that reads such a header: says of the handler, to {@link rejectUnsupportedHeaders} and in the
 * OpenAPI document, that it takes it.
 */
export function AcceptsHeader(
  name: ConditionalHeader,
  options: Omit<ApiHeaderOptions, 'name'>,
): ParameterDecorator {
  return (target, key = '') => {
    const handler = Object.getOwnPropertyDescriptor(target, key) as TypedPropertyDescriptor<unknown>;
    RouteConfig({ takes: name })(target, key, handler);
    ApiHeader({ name, ...options })(target, key, handler);
  };
}

/** Refuses a write with a header that its route does not take: whoever sent it counts on what it would do. */
export function rejectUnsupportedHeaders(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    const { method, headers } = request;
    if (isRead(method) || request.is404) {
      done();
    } else if (
      // A PUT or a DELETE that is sent again does nothing again by itself.
      method === 'POST' &&
      'idempotency-key' in headers &&
      request.routeOptions.config.takes !== 'Idempotency-Key'
    ) {
      done(new BadRequestException('No Idempotency-Key is possible here: this answer is not kept.'));
    } else if ('if-none-match' in headers) {
      done(new PreconditionFailedException('If-None-Match is for reads only.'));
    } else if ('if-match' in headers && request.routeOptions.config.takes !== 'If-Match') {
      done(new PreconditionFailedException('If-Match is only for changing and deleting a phone.'));
    } else {
      done();
    }
  });
}

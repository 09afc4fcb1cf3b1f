import { BadRequestException, PreconditionFailedException } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiHeader, type ApiHeaderOptions } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { isRead } from './http-methods.js';

/** Headers that change what a write does. Only some routes support them. */
type WriteHeader = 'If-Match' | 'Idempotency-Key';

declare module 'fastify' {
  interface FastifyContextConfig {
    supportedHeader?: WriteHeader;
  }
}

/**
 * Declares that a handler supports a header, for {@link rejectUnsupportedHeaders} and the OpenAPI document. Pass it to
 * `createParamDecorator` for the parameter that reads the header.
 */
export function AcceptsHeader(
  name: WriteHeader,
  options: Omit<ApiHeaderOptions, 'name'>,
): ParameterDecorator {
  return (target, key = '') => {
    const handler = Object.getOwnPropertyDescriptor(target, key) as TypedPropertyDescriptor<unknown>;
    RouteConfig({ supportedHeader: name })(target, key, handler);
    ApiHeader({ name, ...options })(target, key, handler);
  };
}

/** Rejects a write with a header that its route does not support, as the client relies on its effect. */
export function rejectUnsupportedHeaders(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    const { method, headers } = request;
    if (isRead(method) || request.is404) {
      done();
      return;
    }
    const { supportedHeader } = request.routeOptions.config;
    // PUT and DELETE are idempotent without a key.
    if (method === 'POST' && 'idempotency-key' in headers && supportedHeader !== 'Idempotency-Key') {
      done(
        new BadRequestException('Idempotency-Key is not supported here, as the response must not be stored.'),
      );
    } else if ('if-none-match' in headers) {
      done(new PreconditionFailedException('If-None-Match is only supported for GET and HEAD.'));
    } else if ('if-match' in headers && supportedHeader !== 'If-Match') {
      done(new PreconditionFailedException('If-Match is only supported to update or delete a phone.'));
    } else {
      done();
    }
  });
}

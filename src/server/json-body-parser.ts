import { isUtf8 } from 'node:buffer';
import { BadRequestException, type RawBodyRequest, UnsupportedMediaTypeException } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/**
 * Parses JSON bodies, and rejects all others. Unlike Fastify's own parser, it accepts an empty body with a JSON
 * content type, which many clients send with DELETE; rejects bytes that are not UTF-8 (RFC 8259, section 8.1) instead
 * of replacing them; and keeps `__proto__` as an ordinary field, which validation then rejects by name.
 */
export function registerJsonBodyParser(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    (request: RawBodyRequest<FastifyRequest>, body: Buffer, done) => {
      request.rawBody = body;
      if (request.headers['content-encoding'] !== undefined) {
        done(new UnsupportedMediaTypeException());
      } else if (body.length === 0) {
        done(null, undefined);
      } else if (!isUtf8(body)) {
        done(new BadRequestException('The body is not UTF-8.'));
      } else {
        try {
          done(null, JSON.parse(body.toString()));
        } catch {
          done(new BadRequestException('The body is not valid JSON.'));
        }
      }
    },
  );
}

import { createHash } from 'node:crypto';
import {
  BadRequestException,
  createParamDecorator,
  type ExecutionContext,
  type RawBodyRequest,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { pathOf } from '../common/path-params.js';
import { AcceptsHeader } from '../common/supported-headers.js';

/** What is known of a POST that brings an `Idempotency-Key`. */
export interface IdempotentRequest {
  /** The client of its API key; callers without one count as one. */
  caller: string;
  key: string;
  /** SHA-256 of what it asks for: where, and with which body. */
  fingerprint: Buffer;
}

/** A string of printable characters, in the quotes of the draft or, as many clients send it, bare. */
const KEY = /^(?:"([\x20\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]{1,255}))$/;

/**
 * The request with its `Idempotency-Key`; undefined when it has none.
 *
 * @throws BadRequestException for what cannot be a key
 */
export const IdempotencyKey = createParamDecorator(
  (_: unknown, context: ExecutionContext): IdempotentRequest | undefined => {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const header = request.headers['idempotency-key'];
    if (header === undefined) return undefined;
    const [, quoted, bare] = KEY.exec(String(header)) ?? [];
    const key = quoted ?? bare;
    if (key === undefined) {
      throw new BadRequestException(
        'The Idempotency-Key must be 1 to 255 ASCII characters, best a random UUID in double quotes, without " and \\ in it.',
      );
    }
    return { caller: nameOf(request), key, fingerprint: fingerprintOf(request) };
  },
  [
    AcceptsHeader('Idempotency-Key', {
      description:
        'A key of your own for this request, best a random UUID in quotes. The request can then be sent again, for ' +
        '24 hours, without creating anything twice: it gets the first answer again.',
      schema: { type: 'string', maxLength: 257 },
    }),
  ],
);

function nameOf({ client }: FastifyRequest): string {
  if (client === undefined) return 'anyone';
  return client.client_id === undefined ? 'admin' : `client ${client.client_id}`;
}

/**
 * The query is left out: it may hold the API key, which may be another one the next time. The body is taken as it came:
 * nothing has been refused yet, and what is nested without end cannot be written as JSON again.
 */
function fingerprintOf({ url, rawBody = Buffer.of() }: RawBodyRequest<FastifyRequest>): Buffer {
  return createHash('sha256')
    .update(`${pathOf(url)}\n`)
    .update(rawBody)
    .digest();
}

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

/** A POST request with an `Idempotency-Key`. */
export interface IdempotentRequest {
  /** The client: `client ID`, `admin` for ADMIN_API_KEY, or `anyone` without a key. */
  client: string;
  key: string;
  /** SHA-256 of the path and the body. */
  fingerprint: Buffer;
}

/**
 * Printable ASCII characters, in quotes as in draft-ietf-httpapi-idempotency-key-header, or without, as many clients
 * send it.
 */
const KEY = /^(?:"([\x20\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]{1,255}))$/;

/**
 * The request, if it has an `Idempotency-Key`.
 *
 * @throws BadRequestException when the key is malformed
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
        'The Idempotency-Key must be 1 to 255 ASCII characters without " and \\, preferably a random UUID in double quotes.',
      );
    }
    return { client: nameClient(request), key, fingerprint: computeFingerprint(request) };
  },
  [
    AcceptsHeader('Idempotency-Key', {
      description:
        'A unique key for this request, preferably a random UUID in quotes. For 24 hours, the same request can then be ' +
        'retried without creating anything twice: it gets the first response again.',
      schema: { type: 'string', maxLength: 257 },
    }),
  ],
);

function nameClient({ client }: FastifyRequest): string {
  if (client === undefined) return 'anyone';
  return client.client_id === undefined ? 'admin' : `client ${client.client_id}`;
}

/**
 * Hashes the path and the raw body. The query is left out: it may contain the API key, which may differ in a retry. The
 * raw body is used because it is not validated yet, and deeply nested JSON cannot be serialized again.
 */
function computeFingerprint({ url, rawBody = Buffer.of() }: RawBodyRequest<FastifyRequest>): Buffer {
  return createHash('sha256')
    .update(`${pathOf(url)}\n`)
    .update(rawBody)
    .digest();
}

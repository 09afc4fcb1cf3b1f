import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';

/** Printable ASCII, so that the ID can be logged and sent back as it is. */
const REQUEST_ID = /^[\x20-\x7e]{1,128}$/;

/** @returns the `X-Request-Id` of the request, which a proxy may have set, if it is valid; else a new ID */
export function createRequestId(request?: IncomingMessage): string {
  const id = request?.headers['x-request-id'];
  return typeof id === 'string' && REQUEST_ID.test(id) ? id : randomUUID();
}

/** Sends the ID of the request back in `X-Request-Id`. */
export function setRequestIdHeader(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.header('X-Request-Id', request.id);
    done();
  });
}

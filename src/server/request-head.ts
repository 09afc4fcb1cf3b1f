import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  DETAIL_BY_STATUS,
  type UnsentProblemDetails,
  createProblemDetails,
  sendProblem,
} from '../common/problem-details.js';
import { closeAfterResponse } from './http-server.js';
import type { UnreadResponses } from './unread-responses.js';

/** The longest URL, in bytes. RFC 9110, section 4.1, recommends to support at least 8000. */
const MAX_URL_LENGTH = 8 * 1024;

/** Replaces a URL with a malformed escape sequence. No client can send it, because of the space. */
const MALFORMED_URL = '/malformed URL';

/**
 * Rejects requests whose head is ambiguous or demands what the service cannot do, and closes their connection: a proxy
 * in front may have read the same bytes differently (request smuggling).
 */
export function checkRequestHeads(fastify: FastifyInstance, unreadResponses: UnreadResponses): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    const problem = validateRequestHead(request.raw);
    if (problem === undefined) {
      done();
      return;
    }
    closeAfterResponse(reply);
    unreadResponses.add({ reply, deadline: performance.now() });
    sendProblem(reply, problem);
  });
  // When Fastify rejects a body, it only sets `Connection: close`, which does not stop Node.js from reading on.
  fastify.addHook('onError', (_request, reply, _error, done) => {
    if (reply.getHeader('connection') === 'close') closeAfterResponse(reply);
    done();
  });
}

/** Rejects a URL that no resource can have. Node.js only limits the URL and the headers together. */
export function checkUrls(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    if (request.url.length > MAX_URL_LENGTH) {
      sendProblem(reply, createProblemDetails(414, DETAIL_BY_STATUS[414]));
    } else if (request.url === MALFORMED_URL) {
      // A proxy in front may have read such a URL differently.
      closeAfterResponse(reply);
      sendProblem(reply, createProblemDetails(400, 'The URL is not valid.'));
    } else {
      done();
    }
  });
}

/**
 * Lets a request with a malformed escape sequence in its URL pass through the hooks like any other, up to
 * {@link checkUrls}. Fastify's router rejects it before any hook has run.
 */
export function routeMalformedUrl(_error: Error, { raw, server }: FastifyRequest, reply: FastifyReply): void {
  raw.url = MALFORMED_URL;
  server.routing(raw, reply.raw);
}

/** @returns what is wrong with the head of a request; undefined if nothing is */
function validateRequestHead({
  httpVersion,
  headers,
  rawHeaders,
}: IncomingMessage): UnsentProblemDetails | undefined {
  // RFC 9112, section 3.2
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  if (hosts > 1) return createProblemDetails(400, 'The request has more than one Host header.');
  if (hosts === 0 && httpVersion === '1.1') return createProblemDetails(400, 'The Host header is missing.');
  // RFC 9112, section 6.1
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || httpVersion !== '1.1')) {
    return createProblemDetails(400, 'The only supported Transfer-Encoding is chunked, with HTTP/1.1.');
  }
  // RFC 9110, section 10.1.1
  if (headers.expect === undefined || headers.expect.toLowerCase() === '100-continue') return undefined;
  return createProblemDetails(417, 'The only supported expectation is 100-continue.');
}

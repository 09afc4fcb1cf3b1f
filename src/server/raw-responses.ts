import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { closeAfterResponse, endConnection } from './http-server.js';
import {
  DETAIL_BY_STATUS,
  type ProblemDetails,
  PROBLEM_JSON,
  problemDetails,
  sendProblem,
} from '../common/problem-details.js';
import { DATA_HEADERS } from './security-headers.js';

/** Answers what Fastify's router refuses before there is a route: a malformed escape in the URL. */
export function handleFrameworkError(
  { statusCode = 400 }: { statusCode?: number },
  _request: FastifyRequest,
  reply: FastifyReply,
): void {
  // No hook has run: neither those that look at the head as a whole, nor the one that sets these headers.
  closeAfterResponse(reply);
  reply.headers(DATA_HEADERS);
  sendProblem(reply, problemDetails(statusCode, 'The URL is not valid.'));
}

const INVALID_HTTP = problemDetails(400, 'This is not a valid HTTP request.');

const CONNECT_REJECTED = serializeResponse(
  problemDetails(400, 'This is not a proxy: CONNECT is not possible.'),
);

const PROBLEMS_BY_CLIENT_ERROR: Record<string, ProblemDetails | undefined> = {
  HPE_HEADER_OVERFLOW: problemDetails(431, DETAIL_BY_STATUS[431]),
  ERR_HTTP_REQUEST_TIMEOUT: problemDetails(408, DETAIL_BY_STATUS[408]),
};

/** Answers what Node.js cannot read as HTTP, and ends the connection. */
export function handleClientError({ code = '' }: { code?: string }, socket: Duplex): void {
  if (code === 'ECONNRESET') socket.destroy();
  else endConnection(socket as Socket, serializeResponse(PROBLEMS_BY_CLIENT_ERROR[code] ?? INVALID_HTTP));
}

/** Refuses CONNECT, for which Node.js would close the connection without a word. */
export function rejectConnect(fastify: FastifyInstance): void {
  fastify.server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    endConnection(socket as Socket, CONNECT_REJECTED);
  });
}

/** An answer as it goes over a connection: there is no request, or none that a response could belong to. */
function serializeResponse(answer: ProblemDetails): string {
  const body = JSON.stringify(answer);
  return [
    `HTTP/1.1 ${answer.status} ${answer.title}`,
    `Content-Type: ${PROBLEM_JSON}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}

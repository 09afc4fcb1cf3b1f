import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  DETAIL_BY_STATUS,
  PROBLEM_JSON,
  type Problem,
  problemDetails,
  sendProblem,
  serializeProblem,
} from '../common/problem-details.js';
import { closeAfterResponse, endConnection } from './http-server.js';

const INVALID_HTTP = problemDetails(400, 'This is not a valid HTTP request.');

const PROBLEM_BY_CLIENT_ERROR: Record<string, Problem | undefined> = {
  HPE_HEADER_OVERFLOW: problemDetails(431, DETAIL_BY_STATUS[431]),
  ERR_HTTP_REQUEST_TIMEOUT: problemDetails(408, DETAIL_BY_STATUS[408]),
};

/** Responds to what Fastify's router rejects before it runs any hook: a malformed escape sequence in the URL. */
export function handleFrameworkError(
  { statusCode = 400 }: { statusCode?: number },
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  // The head of the request was not checked, so nothing behind it can be trusted.
  closeAfterResponse(reply);
  // No hook has run that could set these.
  reply.headers({ 'X-Content-Type-Options': 'nosniff', 'X-Request-Id': request.id });
  sendProblem(reply, problemDetails(statusCode, 'The URL is not valid.'));
}

/** Responds to what Node.js cannot parse as HTTP, and closes the connection. */
export function handleClientError({ code = '' }: { code?: string }, socket: Duplex): void {
  if (code === 'ECONNRESET') socket.destroy();
  else endConnection(socket as Socket, serializeResponse(PROBLEM_BY_CLIENT_ERROR[code] ?? INVALID_HTTP));
}

/** Rejects CONNECT, for which Node.js would close the connection without a response. */
export function rejectConnect(fastify: FastifyInstance): void {
  fastify.server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    const problem = problemDetails(400, 'This is not a proxy; CONNECT is not supported.');
    endConnection(socket as Socket, serializeResponse(problem));
  });
}

/** Serializes a response where Node.js provides no response object. */
function serializeResponse(problem: Problem): string {
  const requestId = randomUUID();
  const body = serializeProblem(problem, requestId);
  return [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    `Content-Type: ${PROBLEM_JSON}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${requestId}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}

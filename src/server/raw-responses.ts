import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import {
  DETAIL_BY_STATUS,
  PROBLEM_JSON,
  type UnsentProblemDetails,
  createProblemDetails,
  serializeProblem,
} from '../common/problem-details.js';
import { endConnection } from './http-server.js';
import { createRequestId } from './request-id.js';

const INVALID_HTTP = createProblemDetails(400, 'This is not a valid HTTP request.');

const PROBLEM_BY_CLIENT_ERROR: Record<string, UnsentProblemDetails | undefined> = {
  HPE_HEADER_OVERFLOW: createProblemDetails(431, DETAIL_BY_STATUS[431]),
  ERR_HTTP_REQUEST_TIMEOUT: createProblemDetails(408, DETAIL_BY_STATUS[408]),
};

/** Responds to what Node.js cannot parse as HTTP, and closes the connection. */
export function handleClientError({ code = '' }: { code?: string }, socket: Duplex): void {
  if (code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const problem = PROBLEM_BY_CLIENT_ERROR[code] ?? INVALID_HTTP;
  endConnection(socket as Socket, (request) => serializeResponse(problem, request));
}

/** Rejects CONNECT, for which Node.js would close the connection without a response. */
export function rejectConnect(fastify: FastifyInstance): void {
  fastify.server.on('connect', (request: IncomingMessage, socket: Duplex) => {
    const problem = createProblemDetails(400, 'This is not a proxy; CONNECT is not supported.');
    endConnection(socket as Socket, () => serializeResponse(problem, request));
  });
}

/** Serializes a response where Node.js provides no response object. */
function serializeResponse(problem: UnsentProblemDetails, request?: IncomingMessage): string {
  const requestId = createRequestId(request);
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

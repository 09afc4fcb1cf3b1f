import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { closeAfter, endConnection } from './connections.js';
import { DETAILS, type Problem, PROBLEM_JSON, problem, sendProblem } from './problem.js';
import { DATA_HEADERS } from './security-headers.js';

/** Answers what Fastify's router refuses before there is a route: a malformed escape in the URL. */
export function answerFrameworkError(
  { statusCode = 400 }: { statusCode?: number },
  _request: FastifyRequest,
  reply: FastifyReply,
): void {
  // No hook has run: neither those that look at the head as a whole, nor the one that sets these headers.
  closeAfter(reply);
  reply.headers(DATA_HEADERS);
  sendProblem(reply, problem(statusCode, 'The URL is not valid.'));
}

const NO_HTTP = problem(400, 'This is not a valid HTTP request.');

const NO_PROXY = toBytes(problem(400, 'This is not a proxy: CONNECT is not possible.'));

const PROBLEMS_BY_CLIENT_ERROR: Record<string, Problem | undefined> = {
  HPE_HEADER_OVERFLOW: problem(431, DETAILS[431]),
  ERR_HTTP_REQUEST_TIMEOUT: problem(408, DETAILS[408]),
};

/** Answers what Node.js cannot read as HTTP, and ends the connection. */
export function answerClientError({ code = '' }: { code?: string }, socket: Duplex): void {
  if (code === 'ECONNRESET') socket.destroy();
  else endConnection(socket as Socket, toBytes(PROBLEMS_BY_CLIENT_ERROR[code] ?? NO_HTTP));
}

/** Refuses CONNECT, for which Node.js would close the connection without a word. */
export function refuseConnect(fastify: FastifyInstance): void {
  fastify.server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    endConnection(socket as Socket, NO_PROXY);
  });
}

/** An answer as it goes over a connection: there is no request, or none that a response could belong to. */
function toBytes(answer: Problem): string {
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

import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PROBLEM_JSON, problem } from './problem.js';

/** Answers what Fastify's router refuses before there is a route, such as a malformed escape in the URL. */
export function answerFrameworkError(
  error: { statusCode?: number },
  _request: FastifyRequest,
  reply: FastifyReply,
): void {
  const answer = problem(error.statusCode ?? 400, 'The URL is not valid.');
  void reply.status(answer.status).type(PROBLEM_JSON).send(JSON.stringify(answer));
}

const PROBLEMS_BY_CLIENT_ERROR: Record<string, [status: number, detail: string] | undefined> = {
  HPE_HEADER_OVERFLOW: [431, 'The headers are larger than 16 KiB.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not arrive in time.'],
};

/** Answers what Node.js cannot read as HTTP. There is no request yet, so the answer is written to the socket. */
export function answerClientError(error: { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, detail] = PROBLEMS_BY_CLIENT_ERROR[error.code ?? ''] ?? [
    400,
    'This is not a valid HTTP request.',
  ];
  const answer = problem(status, detail);
  const body = JSON.stringify(answer);
  socket.end(
    [
      `HTTP/1.1 ${status} ${answer.title}`,
      `Content-Type: ${PROBLEM_JSON}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { afterAnswer } from './connections.js';
import { DETAILS, type Problem, PROBLEM_JSON, problem } from './problem.js';

/** Answers what Fastify's router refuses before there is a route: a malformed escape in the URL. */
export function answerFrameworkError(
  { statusCode = 400 }: { statusCode?: number },
  _request: FastifyRequest,
  reply: FastifyReply,
): void {
  const answer = problem(statusCode, 'The URL is not valid.');
  // No hook has run, so the header that every other answer has is set here.
  void reply
    .status(statusCode)
    .type(PROBLEM_JSON)
    .header('X-Content-Type-Options', 'nosniff')
    .send(JSON.stringify(answer));
}

const NO_HTTP = problem(400, 'This is not a valid HTTP request.');

const PROBLEMS_BY_CLIENT_ERROR: Record<string, Problem | undefined> = {
  HPE_HEADER_OVERFLOW: problem(431, DETAILS[431]),
  ERR_HTTP_REQUEST_TIMEOUT: problem(408, DETAILS[408]),
};

/** The connections on which a request was answered before it had arrived as a whole. */
const answeredEarly = new WeakSet<Duplex>();

/** Answers what Node.js cannot read as HTTP. */
export function answerClientError({ code = '' }: { code?: string }, socket: Duplex): void {
  if (code === 'ECONNRESET' || answeredEarly.has(socket)) {
    socket.destroy();
  } else {
    // An answer to the request before comes first. When that closes the connection, there is nothing to say.
    afterAnswer(socket as Socket, () => {
      if (socket.writable) answerOnSocket(PROBLEMS_BY_CLIENT_ERROR[code] ?? NO_HTTP, socket);
    });
  }
}

/** Answers with a problem document what Node.js would otherwise refuse by itself, without a body or a word. */
export function answerForNode(fastify: FastifyInstance): void {
  fastify.server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    answerOnSocket(problem(400, 'This is not a proxy: CONNECT is not possible.'), socket);
  });
  fastify.server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    const answer = JSON.stringify(problem(417, 'The only expectation that can be met is 100-continue.'));
    response.writeHead(417, { 'Content-Type': PROBLEM_JSON, Connection: 'close' }).end(answer);
  });
  fastify.addHook('onResponse', ({ raw }, _reply, done) => {
    if (!raw.complete) answeredEarly.add(raw.socket);
    done();
  });
}

/** There is no request, or none that a response could belong to: the answer is written to the socket. */
function answerOnSocket(answer: Problem, socket: Duplex): void {
  const body = JSON.stringify(answer);
  socket.write(
    [
      `HTTP/1.1 ${answer.status} ${answer.title}`,
      `Content-Type: ${PROBLEM_JSON}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
  (socket as Socket).destroySoon();
}

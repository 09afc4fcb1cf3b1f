import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { BadRequestException, HttpException } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { DETAILS, type Problem, PROBLEM_JSON, problem } from './problem.js';

/** Answers what Fastify's router refuses before there is a route: a malformed escape in the URL. */
export function answerFrameworkError(
  { statusCode = 400 }: { statusCode?: number },
  _request: FastifyRequest,
  reply: FastifyReply,
): void {
  const answer = problem(statusCode, 'The URL is not valid.');
  void reply.status(statusCode).type(PROBLEM_JSON).send(JSON.stringify(answer));
}

const NO_HTTP = problem(400, 'This is not a valid HTTP request.');

const PROBLEMS_BY_CLIENT_ERROR: Record<string, Problem | undefined> = {
  HPE_HEADER_OVERFLOW: problem(431, DETAILS[431]),
  ERR_HTTP_REQUEST_TIMEOUT: problem(408, DETAILS[408]),
};

/** Answers what Node.js cannot read as HTTP. */
export function answerClientError({ code = '' }: { code?: string }, socket: Duplex): void {
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
  } else {
    answerOnSocket(PROBLEMS_BY_CLIENT_ERROR[code] ?? NO_HTTP, socket);
  }
}

/** The longest URL, in bytes; RFC 9110, section 4.1, asks for 8000 at least. */
const URL_LIMIT = 8 * 1024;

/** Refuses a URL that no resource can have. Node.js itself limits only the URL and the headers together. */
export function limitUrls(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    done(request.url.length > URL_LIMIT ? new HttpException(DETAILS[414], 414) : undefined);
  });
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
  // RFC 9112, section 3.2. Node.js itself is told not to look.
  fastify.addHook('onRequest', (request, _reply, done) => {
    const isMissing = request.raw.httpVersion === '1.1' && request.headers.host === undefined;
    done(isMissing ? new BadRequestException('The Host header is missing.') : undefined);
  });
}

/** There is no request, or none that a response could belong to: the answer is written to the socket. */
function answerOnSocket(answer: Problem, socket: Duplex): void {
  const body = JSON.stringify(answer);
  socket.end(
    [
      `HTTP/1.1 ${answer.status} ${answer.title}`,
      `Content-Type: ${PROBLEM_JSON}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}

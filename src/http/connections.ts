import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { BadRequestException, HttpException, HttpStatus } from '@nestjs/common';
import type { FastifyInstance, FastifyReply } from 'fastify';

/** How long a connection that is answered for good still takes what its caller sends, in milliseconds. */
const LINGERING_TIME = 1000;

/** The answer to the newest request of each connection. */
const newest = new WeakMap<Socket, ServerResponse>();

/** For each answer, the one before it on the same connection, if that was still under way, and how many wait so. */
const turns = new WeakMap<ServerResponse, { previous: ServerResponse; waiting: number }>();

/** Makes connections behave where Node.js by itself does not keep to RFC 9112. */
export function keepConnectionRules(fastify: FastifyInstance): void {
  // A caller may say that it has sent all, and still wait for the answer.
  (fastify.server as { httpAllowHalfOpen?: boolean }).httpAllowHalfOpen = true;
  // Their size has a limit. Node.js would leave out those beyond 1000, and with them what they ask for.
  fastify.server.maxHeadersCount = 0;
  fastify.server.on('connection', closeWithLingering);
  // Not in a hook: hooks of two requests may take turns, and what the router refuses has none.
  fastify.server.prependListener('request', ({ socket }, response) => {
    const previous = newest.get(socket);
    if (previous?.closed === false) {
      turns.set(response, { previous, waiting: (turns.get(previous)?.waiting ?? 0) + 1 });
    }
    newest.set(socket, response);
  });
  // Node.js would refuse an expectation other than 100-continue without a body.
  fastify.server.on('checkExpectation', (request, response) =>
    fastify.server.emit('request', request, response),
  );

  fastify.addHook('onRequest', (request, reply, done) => {
    const { socket } = request.raw;
    const goOn = () => {
      // After an answer that closes the connection nothing more is done (section 9.6).
      if (socket.writableEnded || socket.destroyed) reply.hijack();
      if (reply.sent) return;
      const fault = faultOfHead(request.raw);
      if (fault !== undefined) closeAfter(reply);
      done(fault);
    };
    // One after the other (section 9.3.2): Node.js would begin all that a caller sends without waiting.
    const turn = turns.get(reply.raw);
    if (turn === undefined || turn.previous.closed) goOn();
    else turn.previous.once('close', goOn);
  });
  // Where Fastify itself refuses a body, it says so with the header alone.
  fastify.addHook('onSend', (_request, reply, _payload, done) => {
    if (reply.getHeader('connection') === 'close') closeAfter(reply);
    done();
  });
}

/** How many requests of the same connection are to be answered before this one begins. */
export function waitingBefore(response: ServerResponse): number {
  const turn = turns.get(response);
  return turn === undefined || turn.previous.closed ? 0 : turn.waiting;
}

/**
 * Makes the answer the connection's last, and lets it say so. A `Connection` header alone would not change
 * `shouldKeepAlive`, by which {@link endConnection} knows it.
 */
export function closeAfter({ raw }: FastifyReply): void {
  raw.shouldKeepAlive = false;
}

/**
 * Ends a connection on which nothing more can be read, after the answers that are under way.
 *
 * @param lastWords the answer to what could not be read, unless the one before closes the connection
 */
export function endConnection(socket: Socket, lastWords: string): void {
  const end = () => {
    if (socket.writable) socket.write(lastWords);
    socket.destroySoon();
  };
  const response = newest.get(socket);
  const previous = response && turns.get(response)?.previous;
  if (response === undefined || (response.closed && response.req.complete)) {
    end();
  } else if (response.req.complete) {
    // Before Node.js's own listener, which closes what the caller has closed on its side.
    response.prependOnceListener('finish', () => {
      if (response.shouldKeepAlive) end();
    });
  } else if (previous?.closed === false) {
    // The body is wrong of a request that waits for its turn: this is its answer, and comes before it would begin.
    previous.prependOnceListener('close', end);
  } else if (response.headersSent) {
    // The body is wrong of a request that has its answer already.
    socket.destroySoon();
  } else {
    end();
  }
}

/**
 * Lets a connection be read for a while after its last answer (section 9.6). The system would otherwise answer what is
 * still on the way with a reset, which can take the answer away from the caller.
 */
function closeWithLingering(socket: Socket): void {
  socket.destroySoon = () => {
    socket.end();
    socket.resume();
    const timer = setTimeout(() => socket.destroy(), LINGERING_TIME).unref();
    socket.once('close', () => {
      clearTimeout(timer);
    });
  };
}

/** What the service cannot keep to, or others on the way to it could understand in another way, hiding a request. */
function faultOfHead({ httpVersion, headers, rawHeaders }: IncomingMessage): HttpException | undefined {
  // Section 3.2. Node.js itself is told not to look, as it would answer without a body.
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
  if (hosts > 1) return new BadRequestException('There is more than one Host header.');
  if (hosts === 0 && httpVersion === '1.1') return new BadRequestException('The Host header is missing.');
  // Section 6.1.
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || httpVersion !== '1.1')) {
    return new BadRequestException('The only Transfer-Encoding that is taken is chunked, with HTTP/1.1.');
  }
  // RFC 9110, section 10.1.1.
  if (headers.expect === undefined || headers.expect.toLowerCase() === '100-continue') return undefined;
  return new HttpException(
    'The only expectation that can be met is 100-continue.',
    HttpStatus.EXPECTATION_FAILED,
  );
}

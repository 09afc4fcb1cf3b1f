import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { BadRequestException } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';

/** How long a connection that is answered for good still takes what its caller sends, in milliseconds. */
const LINGERING_TIME = 1000;

/** The newest request of each connection. */
const newest = new WeakMap<Socket, ServerResponse>();

/** Makes connections behave where Node.js by itself does not keep to RFC 9112. Before every other hook. */
export function keepConnectionRules(fastify: FastifyInstance): void {
  // A caller may say that it has sent all, and still wait for the answer.
  (fastify.server as { httpAllowHalfOpen?: boolean }).httpAllowHalfOpen = true;
  fastify.server.on('connection', closeWithLingering);

  fastify.addHook('onRequest', (request, reply, done) => {
    const { socket } = request.raw;
    const goOn = () => {
      // Behind an answer that closes the connection nothing more is done (section 9.6).
      if (socket.writableEnded || socket.destroyed) {
        reply.hijack();
        return;
      }
      const fault = faultOfHead(request.raw);
      if (fault !== undefined) reply.header('Connection', 'close');
      done(fault);
    };
    // One after the other (section 9.3.2): Node.js would begin all that a caller sends without waiting.
    afterAnswer(socket, goOn);
    newest.set(socket, reply.raw);
  });
}

/** Waits for the answer that is under way on a connection, unless it is one to a request that has not yet arrived. */
export function afterAnswer(socket: Socket, goOn: () => void): void {
  const previous = newest.get(socket);
  if (previous?.closed === false && previous.req.complete) previous.once('close', goOn);
  else goOn();
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

/** What others on the way to the service could understand in another way, so that one request would hide another. */
function faultOfHead({ httpVersion, headers, rawHeaders }: IncomingMessage): BadRequestException | undefined {
  // Section 3.2. Node.js itself is told not to look, as it would answer without a body.
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
  if (hosts > 1) return new BadRequestException('There is more than one Host header.');
  if (hosts === 0 && httpVersion === '1.1') return new BadRequestException('The Host header is missing.');
  // Section 6.1.
  const coding = headers['transfer-encoding'];
  if (coding === undefined || (coding.toLowerCase() === 'chunked' && httpVersion === '1.1')) return undefined;
  return new BadRequestException('The only Transfer-Encoding that is taken is chunked, with HTTP/1.1.');
}

import type { FastifyInstance } from 'fastify';

/**
 * Answers what is under way when the service shuts down, and closes its connections with that. Fastify closes
 * the idle ones; one that was busy at that moment would stay until its keep-alive time is over.
 */
export function closeConnectionsOnShutdown(fastify: FastifyInstance): void {
  let isClosing = false;
  fastify.addHook('preClose', (done) => {
    isClosing = true;
    done();
  });
  fastify.addHook('onSend', (_request, reply, _payload, done) => {
    if (isClosing) reply.header('Connection', 'close');
    done();
  });
}

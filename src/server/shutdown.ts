import type { FastifyInstance } from 'fastify';
import { closeAfterResponse } from './http-server.js';

/** How much longer than a request may take a shutdown waits for those under way, in milliseconds. */
const GRACE_PERIOD = 500;

/**
 * Answers what is under way when the service shuts down, and closes its connections with that. Fastify closes
 * the idle ones; one that was busy at that moment would stay until its keep-alive time is over, and one on which half a
 * request has arrived for ever.
 *
 * @param requestTimeout the longest that a request may take, in milliseconds
 */
export function closeConnectionsOnShutdown(fastify: FastifyInstance, requestTimeout: number): void {
  let isClosing = false;
  fastify.addHook('preClose', (done) => {
    isClosing = true;
    setTimeout(() => {
      fastify.server.closeAllConnections();
    }, requestTimeout + GRACE_PERIOD).unref();
    done();
  });
  fastify.addHook('onSend', (_request, reply, _payload, done) => {
    if (isClosing) closeAfterResponse(reply);
    done();
  });
}

/** The signals that shut the service down. */
export const SHUTDOWN_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** Ends the process at once when a second signal says that the shutdown takes too long. */
export function exitAtSecondSignal(): void {
  let isShuttingDown = false;
  for (const signal of SHUTDOWN_SIGNALS) {
    process.on(signal, () => {
      if (isShuttingDown) process.exit(1);
      isShuttingDown = true;
    });
  }
}

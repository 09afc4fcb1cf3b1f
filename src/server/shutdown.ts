import type { FastifyInstance } from 'fastify';
import { closeAfterResponse } from './http-server.js';

/** How long after `requestTimeout` the remaining connections are closed, in milliseconds. */
const GRACE_PERIOD = 500;

/** The signals that shut the service down. */
export const SHUTDOWN_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/**
 * On shutdown, closes each connection after its response. Fastify only closes idle connections: one that is busy would
 * stay open until its keep-alive timeout, and one on which half a request has arrived would stay open forever.
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

/** Exits at once on a second signal, for an operator who does not want to wait for the shutdown. */
export function exitOnSecondSignal(): void {
  let isShuttingDown = false;
  for (const signal of SHUTDOWN_SIGNALS) {
    process.on(signal, () => {
      if (isShuttingDown) process.exit(1);
      isShuttingDown = true;
    });
  }
}

import type { INestApplication } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { closeAfterResponse } from './http-server.js';
import { SHUTDOWN_SIGNALS, stopExitingOnSignals } from '../signals.js';

/** How long after `requestTimeout` the remaining connections are closed, in milliseconds. */
const GRACE_PERIOD = 500;

/**
 * How long a signal counts as the same one, in milliseconds: `npm start` passes on the SIGINT of Ctrl+C, which the
 * service also gets itself.
 */
const REPEAT_INTERVAL = 1000;

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

/**
 * Shuts the application down when the process gets a signal. A second signal ends the process at once, for an operator
 * who does not want to wait.
 */
export function shutDownOnSignals(app: INestApplication): void {
  app.enableShutdownHooks([...SHUTDOWN_SIGNALS], { useProcessExit: true });
  let firstSignalAt: number | undefined;
  for (const signal of SHUTDOWN_SIGNALS) {
    process.on(signal, () => {
      firstSignalAt ??= performance.now();
      if (performance.now() - firstSignalAt > REPEAT_INTERVAL) process.exit(1);
    });
  }
  stopExitingOnSignals();
}

import underPressure from '@fastify/under-pressure';
import type { FastifyInstance } from 'fastify';
import { TryAgainException } from './problem.js';

/** How many requests may be under way at once. A service that answers a thousand a second needs a second for them. */
const MAX_REQUESTS = 1000;

/** How late the event loop may be on average, in milliseconds. Beyond that it has more to do than it can. */
const MAX_EVENT_LOOP_DELAY = 500;

/** How many connections may be open at once. Each takes memory, and the system has a limit of its own. */
const MAX_CONNECTIONS = 10_000;

/** How long there must be no overload before another one is logged, in milliseconds. */
const LOG_INTERVAL = 10_000;

/**
 * Refuses requests while there are more than can be served, so that those that are let in are answered in time. Whether
 * the process is alive is answered all the same: an orchestrator must not end it for having much to do.
 */
export async function shedLoad(fastify: FastifyInstance): Promise<void> {
  // The plugin measures; what it would do with a request is done here, together with the other reason.
  await fastify.register(underPressure, {
    maxEventLoopDelay: MAX_EVENT_LOOP_DELAY,
    pressureHandler: () => undefined,
  });
  fastify.server.maxConnections = MAX_CONNECTIONS;
  let requests = 0;
  let lastShed = -LOG_INTERVAL;
  fastify.addHook('onRequest', ({ routeOptions }, reply, done) => {
    requests += 1;
    // Also when the caller does not wait for the answer.
    reply.raw.once('close', () => (requests -= 1));
    const isOverloaded = requests > MAX_REQUESTS || fastify.isUnderPressure();
    if (!isOverloaded || routeOptions.url === '/health/live') {
      done();
      return;
    }
    const now = performance.now();
    if (now - lastShed >= LOG_INTERVAL) fastify.log.warn(`Overloaded: ${requests} requests are under way`);
    lastShed = now;
    done(new TryAgainException(503, 'The service has too much to do. Try again soon.'));
  });
}

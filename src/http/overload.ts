import type { FastifyInstance } from 'fastify';
import { TryAgainException } from './problem.js';

/** How many requests may be under way at once. A service that answers a thousand a second needs a second for them. */
const MAX_REQUESTS = 1000;

/** How many connections may be open at once. Each takes memory, and the system has a limit of its own. */
const MAX_CONNECTIONS = 10_000;

/** How late a timer may be, in milliseconds. Beyond that the event loop has more to do than it can. */
const MAX_EVENT_LOOP_DELAY = 500;

/** How often the event loop is looked at, in milliseconds. */
const SAMPLE_INTERVAL = 100;

/** How many times running it must be late: a single long task is no overload. */
const LATE_SAMPLES = 2;

/** How long there must be no overload before another one is logged, in milliseconds. */
const LOG_INTERVAL = 10_000;

/**
 * Refuses requests while there are more than can be served, so that those that are let in are answered in time. Whether
 * the process is alive is answered all the same: an orchestrator must not end it for having much to do.
 */
export function shedLoad(fastify: FastifyInstance): void {
  let requests = 0;
  let lateSamples = 0;
  let lastShed = -LOG_INTERVAL;
  fastify.server.maxConnections = MAX_CONNECTIONS;

  // From here on, and not as @fastify/under-pressure does from its registration on: a start is no overload.
  fastify.addHook('onReady', (done) => {
    let due = performance.now() + SAMPLE_INTERVAL;
    const timer = setInterval(() => {
      const now = performance.now();
      lateSamples = now - due > MAX_EVENT_LOOP_DELAY ? lateSamples + 1 : 0;
      due = now + SAMPLE_INTERVAL;
    }, SAMPLE_INTERVAL);
    timer.unref();
    done();
  });

  fastify.addHook('onRequest', ({ routeOptions }, reply, done) => {
    requests += 1;
    // Also when the caller does not wait for the answer.
    reply.raw.once('close', () => (requests -= 1));
    if ((requests <= MAX_REQUESTS && lateSamples < LATE_SAMPLES) || routeOptions.url === '/health/live') {
      done();
      return;
    }
    const now = performance.now();
    if (now - lastShed >= LOG_INTERVAL) fastify.log.warn(`Overloaded: ${requests} requests are under way`);
    lastShed = now;
    done(new TryAgainException(503, 'The service has too much to do. Try again soon.'));
  });
}

import type { FastifyInstance, FastifyReply } from 'fastify';
import { problemDetails, sendProblem } from '../common/problem-details.js';

/** How many requests may be under way at once. A service that answers a thousand a second needs a second for them. */
const MAX_REQUESTS = 1000;

/** How many connections may be open at once. Each takes memory, and the system has a limit of its own. */
const MAX_CONNECTIONS = 10_000;

/** How late a timer may be, in milliseconds. Beyond that the event loop has more to do than it can. */
const MAX_EVENT_LOOP_DELAY = 500;

/** How often the event loop, and the time that requests take, are looked at, in milliseconds. */
const SAMPLE_INTERVAL = 100;

/** How many times running the event loop must be late: a single long task is no overload. */
const LATE_SAMPLES = 2;

/** How long there must be no overload before another one is logged, in milliseconds. */
const LOG_INTERVAL = 10_000;

/** The time that a request may take is over. */
export class RequestTimeoutError extends Error {
  constructor(requestTimeout: number) {
    super(`A request was not answered within ${requestTimeout} ms.`);
  }
}

/**
 * Refuses requests while there are more than can be served, so that those that are let in are answered in time, and
 * ends those that are not. Whether the process is alive is answered all the same: an orchestrator must not end it for
 * having much to do.
 *
 * @param requestTimeout the longest that a request may take, in milliseconds
 */
export function shedLoad(fastify: FastifyInstance, requestTimeout: number): void {
  // A fixed number of places, as a collection that grows and shrinks with each request would keep the garbage collector busy.
  const places = new Array<{ reply: FastifyReply; end: number } | undefined>(MAX_REQUESTS).fill(undefined);
  const freePlaces = [...places.keys()];
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
      for (const request of places) {
        // An answer that has begun takes as long as its caller takes to read it.
        if (request && request.end <= now && !request.reply.raw.headersSent)
          request.reply.send(new RequestTimeoutError(requestTimeout));
      }
    }, SAMPLE_INTERVAL);
    timer.unref();
    done();
  });

  fastify.addHook('onRequest', (request, reply, done) => {
    const now = performance.now();
    const place = lateSamples < LATE_SAMPLES ? freePlaces.pop() : undefined;
    if (place !== undefined) {
      places[place] = { reply, end: now + requestTimeout };
      // Once, also when the caller does not wait for the answer.
      reply.raw.on('close', () => {
        places[place] = undefined;
        freePlaces.push(place);
      });
    } else if (request.routeOptions.url !== '/health/live') {
      const reason =
        lateSamples < LATE_SAMPLES ? `${MAX_REQUESTS} requests are under way` : 'the event loop is late';
      if (now - lastShed >= LOG_INTERVAL) fastify.log.warn(`Overloaded: ${reason}`);
      lastShed = now;
      reply.header('Retry-After', 1);
      sendProblem(reply, problemDetails(503, 'The service has too much to do. Try again soon.'));
      return;
    }
    done();
  });
}

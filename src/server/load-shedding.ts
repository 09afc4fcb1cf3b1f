import type { FastifyInstance, FastifyReply } from 'fastify';
import { createProblemDetails, sendProblem } from '../common/problem-details.js';

/** The number of requests that may be in progress at once: a second's work for a busy service. */
const MAX_REQUESTS = 1000;

/** The number of connections that may be open at once. Each takes memory and a file descriptor. */
const MAX_CONNECTIONS = 10_000;

/** How late a timer may be, in milliseconds. Beyond that, the event loop is overloaded. */
const MAX_EVENT_LOOP_DELAY = 500;

/** How often the delay of the event loop and the age of requests are checked, in milliseconds. */
const SAMPLE_INTERVAL = 100;

/** How many samples in a row must be late. A single long task is not an overload. */
const LATE_SAMPLES = 2;

/** An overload is logged only if the service was not overloaded for this long before, in milliseconds. */
const QUIET_PERIOD = 10_000;

/** After how many seconds a rejected client may retry. */
const RETRY_AFTER = 1;

/** A request was in progress for longer than `REQUEST_TIMEOUT`. */
export class RequestTimeoutError extends Error {
  constructor(requestTimeout: number) {
    super(`The request was not processed within ${requestTimeout} ms.`);
  }
}

/**
 * Rejects requests while the service is overloaded, so that those that it accepts are processed in time, and ends
 * requests that take too long. `GET /health/live` is always accepted: an orchestrator must not restart a service because
 * it is busy.
 *
 * @param requestTimeout the longest that a request may take, in milliseconds
 */
export function shedLoad(fastify: FastifyInstance, requestTimeout: number): void {
  // A fixed number of slots: a map of the requests in progress costs 10 % of the throughput in garbage collection.
  const slots = new Array<{ reply: FastifyReply; deadline: number } | undefined>(MAX_REQUESTS).fill(
    undefined,
  );
  const freeSlots = [...slots.keys()];
  let lateSamples = 0;
  let lastOverload = -QUIET_PERIOD;
  fastify.server.maxConnections = MAX_CONNECTIONS;

  // Sampling starts once the service is ready. @fastify/under-pressure would mistake the startup for an overload.
  fastify.addHook('onReady', (done) => {
    let due = performance.now() + SAMPLE_INTERVAL;
    const timer = setInterval(() => {
      const now = performance.now();
      lateSamples = now - due > MAX_EVENT_LOOP_DELAY ? lateSamples + 1 : 0;
      due = now + SAMPLE_INTERVAL;
      for (const slot of slots) {
        // A response that has started may take as long as the client needs to read it.
        if (slot && slot.deadline <= now && !slot.reply.raw.headersSent)
          slot.reply.send(new RequestTimeoutError(requestTimeout));
      }
    }, SAMPLE_INTERVAL);
    timer.unref();
    done();
  });

  fastify.addHook('onRequest', (request, reply, done) => {
    const now = performance.now();
    const isEventLoopLate = lateSamples >= LATE_SAMPLES;
    const slot = isEventLoopLate ? undefined : freeSlots.pop();
    if (slot !== undefined) {
      slots[slot] = { reply, deadline: now + requestTimeout };
      // Emitted exactly once, even if the client disconnects early.
      reply.raw.on('close', () => {
        slots[slot] = undefined;
        freeSlots.push(slot);
      });
      done();
    } else if (request.routeOptions.url === '/health/live') {
      done();
    } else {
      const reason = isEventLoopLate ? 'the event loop is late' : `${MAX_REQUESTS} requests are in progress`;
      if (now - lastOverload >= QUIET_PERIOD) fastify.log.warn(`The service is overloaded: ${reason}`);
      lastOverload = now;
      reply.header('Retry-After', RETRY_AFTER);
      sendProblem(reply, createProblemDetails(503, 'The service is overloaded. Retry later.'));
    }
  });
}

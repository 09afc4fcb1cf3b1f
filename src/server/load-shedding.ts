import type { FastifyInstance } from 'fastify';
import { createProblemDetails, sendProblem } from '../common/problem-details.js';
import type { PendingResponse, UnreadResponses } from './unread-responses.js';

/**
 * The number of requests that may be in progress at once: a second's work for a busy service. A request is in progress
 * until its response begins.
 */
const MAX_REQUESTS = 1000;

/** The number of connections that may be open at once. Each takes memory and a file descriptor. */
const MAX_CONNECTIONS = 10_000;

/** How late a timer may be, in milliseconds. Beyond that, the event loop is overloaded. */
const MAX_EVENT_LOOP_DELAY = 500;

/** How often the delay of the event loop, the age of requests and the unread responses are checked, in milliseconds. */
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
 * requests that take too long. `GET /health/live` is always accepted: an orchestrator must not restart a service
 * because it is busy.
 *
 * @param requestTimeout the longest that a request may take, in milliseconds
 */
export function shedLoad(
  fastify: FastifyInstance,
  requestTimeout: number,
  unreadResponses: UnreadResponses,
): void {
  // A fixed number of slots: a map of the requests in progress costs 10 % of the throughput in garbage collection.
  const slots = new Array<PendingResponse | undefined>(MAX_REQUESTS).fill(undefined);
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
      slots.forEach((request, slot) => {
        if (request === undefined) return;
        if (request.reply.raw.headersSent) {
          // The work is done, so clients that do not read cannot occupy the slots.
          slots[slot] = undefined;
          freeSlots.push(slot);
          unreadResponses.add(request);
        } else if (request.deadline <= now) {
          request.reply.send(new RequestTimeoutError(requestTimeout));
        }
      });
      unreadResponses.destroyExcess();
    }, SAMPLE_INTERVAL);
    timer.unref();
    done();
  });

  fastify.addHook('onRequest', (request, reply, done) => {
    const now = performance.now();
    const isEventLoopLate = lateSamples >= LATE_SAMPLES;
    const slot = isEventLoopLate ? undefined : freeSlots.pop();
    if (slot !== undefined) {
      const pending: PendingResponse = { reply, deadline: now + requestTimeout };
      slots[slot] = pending;
      // Emitted exactly once, even if the client disconnects early.
      reply.raw.on('close', () => {
        if (slots[slot] !== pending) return;
        slots[slot] = undefined;
        freeSlots.push(slot);
      });
      done();
      return;
    }
    unreadResponses.add({ reply, deadline: now + requestTimeout });
    if (request.routeOptions.url === '/health/live') {
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

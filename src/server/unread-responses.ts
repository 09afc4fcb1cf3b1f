import type { FastifyBaseLogger, FastifyReply } from 'fastify';

/** How long after the deadline of its request a response may remain unread, in milliseconds. */
const READ_TIME = 5000;

/** How much the service may buffer of all unread responses, in the bytes that `writableLength` counts. */
const MAX_BUFFERED_BYTES = 64 * 1024 * 1024;

/** Destroyed responses are logged only if none was destroyed for this long before, in milliseconds. */
const QUIET_PERIOD = 10_000;

/** A request that was accepted, and the time (of `performance.now()`) by which its response must begin. */
export interface AcceptedRequest {
  reply: FastifyReply;
  deadline: number;
}

/**
 * The responses that have begun and that their clients have not read yet. A client that reads nothing would keep its
 * response in memory, and a static file open, for as long as it likes.
 */
export class UnreadResponses {
  private readonly requests = new Set<AcceptedRequest>();
  private lastDestroyed = -QUIET_PERIOD;

  constructor(private readonly logger: FastifyBaseLogger) {}

  /** Adds the response of a request until it is sent or its connection is closed. */
  add(request: AcceptedRequest): void {
    this.requests.add(request);
    request.reply.raw.once('close', () => this.requests.delete(request));
  }

  /** Destroys the responses that are overdue and, if too much is buffered, the largest of the others. */
  destroyExcess(): void {
    const now = performance.now();
    let bufferedBytes = 0;
    for (const request of this.requests) {
      if (request.deadline + READ_TIME <= now) this.destroy(request);
      else bufferedBytes += request.reply.raw.writableLength;
    }
    if (bufferedBytes <= MAX_BUFFERED_BYTES) return;
    // Of equal size, the oldest comes first.
    const largestFirst = [...this.requests]
      .filter(({ reply }) => !reply.raw.destroyed)
      .map((request) => ({ request, size: request.reply.raw.writableLength }))
      .sort((a, b) => b.size - a.size);
    for (const { request, size } of largestFirst) {
      if (bufferedBytes <= MAX_BUFFERED_BYTES) return;
      this.destroy(request);
      bufferedBytes -= size;
    }
  }

  private destroy({ reply }: AcceptedRequest): void {
    reply.raw.destroy();
    const now = performance.now();
    if (now - this.lastDestroyed >= QUIET_PERIOD) {
      this.logger.warn('Responses are destroyed because their clients do not read them.');
    }
    this.lastDestroyed = now;
  }
}

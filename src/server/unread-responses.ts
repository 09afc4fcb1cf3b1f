import type { FastifyBaseLogger, FastifyReply } from 'fastify';

/** How long after the deadline of its request a response may remain unread, in milliseconds. */
const READ_TIME = 5000;

/** How much the service may buffer of all unread responses, in the bytes that `writableLength` counts. */
const MAX_BUFFERED_BYTES = 64 * 1024 * 1024;

/** Destroyed responses are logged only if none was destroyed for this long before, in milliseconds. */
const QUIET_PERIOD = 10_000;

/** A response, and the time (of `performance.now()`) by which it must begin. */
export interface PendingResponse {
  reply: FastifyReply;
  deadline: number;
}

/**
 * The responses that have begun and that their clients have not read yet. A client that reads nothing would keep its
 * response in memory, and a static file open, for as long as it likes.
 */
export class UnreadResponses {
  private readonly responses = new Set<PendingResponse>();
  private lastDestroyedAt = -QUIET_PERIOD;

  constructor(private readonly logger: FastifyBaseLogger) {}

  /** Adds a response until it is sent or its connection is closed. */
  add(response: PendingResponse): void {
    this.responses.add(response);
    response.reply.raw.once('close', () => this.responses.delete(response));
  }

  /** Destroys the responses that are overdue and, if too much is buffered, the largest of the others. */
  destroyExcess(): void {
    const now = performance.now();
    let bufferedBytes = 0;
    for (const response of this.responses) {
      if (response.deadline + READ_TIME <= now) this.destroy(response);
      else bufferedBytes += response.reply.raw.writableLength;
    }
    if (bufferedBytes <= MAX_BUFFERED_BYTES) return;
    // Of equal size, the oldest comes first.
    const largestFirst = [...this.responses]
      .filter(({ reply }) => !reply.raw.destroyed)
      .map((response) => ({ response, size: response.reply.raw.writableLength }))
      .sort((a, b) => b.size - a.size);
    for (const { response, size } of largestFirst) {
      if (bufferedBytes <= MAX_BUFFERED_BYTES) return;
      this.destroy(response);
      bufferedBytes -= size;
    }
  }

  private destroy({ reply }: PendingResponse): void {
    reply.raw.destroy();
    const now = performance.now();
    if (now - this.lastDestroyedAt >= QUIET_PERIOD) {
      this.logger.warn('Responses are destroyed because their clients do not read them.');
    }
    this.lastDestroyedAt = now;
  }
}

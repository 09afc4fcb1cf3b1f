import { isIP } from 'node:net';
import rateLimit, { type FastifyRateLimitStore } from '@fastify/rate-limit';
import { HttpException, HttpStatus } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { isRead } from '../common/http-methods.js';
import type { Environment } from '../config/environment.js';

/** The length of the time window, in seconds. */
const WINDOW = 60;

/** How many clients and addresses are counted at once. Beyond that, the least recently seen is forgotten. */
const CACHE_SIZE = 100_000;

type StoreCallback = Parameters<FastifyRateLimitStore['incr']>[1];

/** A limit for the requests of each client, and of each address without a key. */
export interface RateLimit {
  /**
   * Counts a request, and sets the `RateLimit` headers.
   *
   * @throws HttpException with status 429 when the limit is exceeded
   */
  count(request: FastifyRequest, reply: FastifyReply): Promise<void>;
  /** Whether the next request of the client or address would exceed the limit. */
  isUsedUp(request: FastifyRequest): Promise<boolean>;
}

/** The limits for reads and for writes. */
export class RateLimits {
  private constructor(
    private readonly reads?: RateLimit,
    private readonly writes?: RateLimit,
  ) {}

  static async register(fastify: FastifyInstance, environment: Environment): Promise<RateLimits> {
    await fastify.register(rateLimit, { global: false, store: MonotonicStore });
    return new RateLimits(
      createRateLimit(fastify, 'reads', environment.RATE_LIMIT_READS),
      createRateLimit(fastify, 'writes', environment.RATE_LIMIT_WRITES),
    );
  }

  /** @returns the limit for requests of this method; undefined if there is none */
  limitFor(method: string): RateLimit | undefined {
    return isRead(method) ? this.reads : this.writes;
  }
}

function createRateLimit(
  fastify: FastifyInstance,
  name: string,
  limit: number | undefined,
): RateLimit | undefined {
  if (limit === undefined) return undefined;
  const limiter = fastify.createRateLimit({ max: limit, timeWindow: WINDOW * 1000, keyGenerator });
  return {
    async count(request, reply) {
      const result = await limiter(request);
      if (result.isAllowed) return;
      const { remaining, ttlInSeconds, isExceeded } = result;
      // draft-ietf-httpapi-ratelimit-headers-11
      reply.header('RateLimit-Policy', `"${name}";q=${limit};w=${WINDOW}`);
      reply.header('RateLimit', `"${name}";r=${remaining};t=${ttlInSeconds}`);
      if (!isExceeded) return;
      reply.header('Retry-After', ttlInSeconds);
      throw new HttpException(
        `No more than ${limit} ${name} per minute are allowed. Retry in ${ttlInSeconds} seconds.`,
        HttpStatus.TOO_MANY_REQUESTS,
      );
    },
    async isUsedUp(request) {
      const result = await limiter(request, { increment: false });
      return !result.isAllowed && result.remaining === 0;
    },
  };
}

/**
 * Counts in time windows that are measured by the monotonic clock. The plugin's own store uses the system clock, which
 * would lock clients out for as long as it is set back.
 */
class MonotonicStore implements FastifyRateLimitStore {
  private readonly counts = new LRUCache<string, number>({
    max: CACHE_SIZE,
    ttl: WINDOW * 1000,
    noUpdateTTL: true,
  });

  incr(key: string, callback: StoreCallback): void {
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
    this.read(key, callback);
  }

  read(key: string, callback: StoreCallback): void {
    const current = this.counts.get(key) ?? 0;
    callback(null, { current, ttl: this.counts.getRemainingTTL(key) });
  }

  child(): MonotonicStore {
    return new MonotonicStore();
  }
}

function keyGenerator({ client, ip, socket }: FastifyRequest): string {
  if (client !== undefined) return `client ${client.client_id ?? 'ADMIN_API_KEY'}`;
  // Some proxies append the port. If it is not an IP address at all, the request counts for the proxy.
  const address = ip.replace(/^\[(.*)\](:\d+)?$/, '$1').replace(/^([\d.]+):\d+$/, '$1');
  // An IPv6 client usually has a whole /64 network, which counts as one address.
  return rateLimit.normalizeIP(isIP(address) === 0 ? (socket.remoteAddress ?? '') : address);
}

import { isIP } from 'node:net';
import rateLimit from '@fastify/rate-limit';
import { HttpException, HttpStatus } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isRead } from '../common/http-methods.js';
import type { Environment } from '../config/environment.js';

/** The length of the time window, in seconds. */
const WINDOW = 60;

/** How many clients and addresses are counted at once. Beyond that, the least recently seen is forgotten. */
const CACHE_SIZE = 100_000;

type Limiter = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/** Counts the reads and the writes of each client, and of each address without a key, against their limits. */
export class RateLimits {
  private constructor(
    private readonly reads?: Limiter,
    private readonly writes?: Limiter,
  ) {}

  static async register(fastify: FastifyInstance, environment: Environment): Promise<RateLimits> {
    await fastify.register(rateLimit, { global: false, cache: CACHE_SIZE });
    return new RateLimits(
      createLimiter(fastify, 'reads', environment.RATE_LIMIT_READS),
      createLimiter(fastify, 'writes', environment.RATE_LIMIT_WRITES),
    );
  }

  /** @returns the limiter for requests of this method; undefined if there is no limit */
  limiterFor(method: string): Limiter | undefined {
    return isRead(method) ? this.reads : this.writes;
  }
}

/**
 * Creates a function that counts a request, sets the `RateLimit` headers and throws an HttpException with status 429
 * above the limit.
 */
function createLimiter(
  fastify: FastifyInstance,
  name: string,
  limit: number | undefined,
): Limiter | undefined {
  if (limit === undefined) return undefined;
  const count = fastify.createRateLimit({ max: limit, timeWindow: WINDOW * 1000, keyGenerator });
  return async (request, reply) => {
    const result = await count(request);
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
  };
}

function keyGenerator({ client, ip, socket }: FastifyRequest): string {
  if (client !== undefined) return `client ${client.client_id ?? 'ADMIN_API_KEY'}`;
  // Some proxies append the port. If it is not an IP address at all, the request counts for the proxy.
  const address = ip.replace(/^\[(.*)\](:\d+)?$/, '$1').replace(/^([\d.]+):\d+$/, '$1');
  // An IPv6 client usually has a whole /64 network, which counts as one address.
  return rateLimit.normalizeIP(isIP(address) === 0 ? (socket.remoteAddress ?? '') : address);
}

import { isIP } from 'node:net';
import { HttpException, HttpStatus, Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Environment, environmentConfig } from '../config/environment.js';
import { isRead } from '../common/http-methods.js';

/** The time in which the requests are counted, in seconds. */
const WINDOW = 60;

/** Of how many clients and addresses this process counts the reads, and the writes. The one that was quiet longest gives way. */
const MAX_COUNTED = 100_000;

/** Must come before the application is built. */
export async function registerRateLimit(fastify: FastifyInstance): Promise<void> {
  await fastify.register(rateLimit, { global: false, cache: MAX_COUNTED });
}

/** Counts the reads and the writes of each client, and of each address without a key, against their limits. */
@Injectable()
export class RateLimitsService {
  private readonly reads: ReturnType<typeof limiter>;
  private readonly writes: ReturnType<typeof limiter>;

  constructor(
    { httpAdapter }: HttpAdapterHost<FastifyAdapter>,
    @Inject(environmentConfig.KEY) { RATE_LIMIT_READS, RATE_LIMIT_WRITES }: Environment,
  ) {
    const fastify = httpAdapter.getInstance();
    this.reads = limiter(fastify, 'reads', RATE_LIMIT_READS);
    this.writes = limiter(fastify, 'writes', RATE_LIMIT_WRITES);
  }

  isLimited({ method }: FastifyRequest): boolean {
    return this.limiterOf(method) !== undefined;
  }

  /**
   * Counts a request, whose caller must be known, and tells what is left.
   *
   * @throws HttpException 429 when it is one too many
   */
  async count(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    await this.limiterOf(request.method)?.(request, reply);
  }

  private limiterOf(method: string) {
    return isRead(method) ? this.reads : this.writes;
  }
}

/** @returns undefined where there is no limit */
function limiter(fastify: FastifyInstance, name: string, max: number | undefined) {
  if (max === undefined) return undefined;
  const count = fastify.createRateLimit({ max, timeWindow: WINDOW * 1000, keyGenerator });
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const counted = await count(request);
    if (counted.isAllowed) return;
    const { remaining, ttlInSeconds, isExceeded } = counted;
    // draft-ietf-httpapi-ratelimit-headers-11
    reply.header('RateLimit-Policy', `"${name}";q=${max};w=${WINDOW}`);
    reply.header('RateLimit', `"${name}";r=${remaining};t=${ttlInSeconds}`);
    if (!isExceeded) return;
    reply.header('Retry-After', ttlInSeconds);
    throw new HttpException(
      `No more than ${max} ${name} a minute are possible. Try again in ${ttlInSeconds} seconds.`,
      HttpStatus.TOO_MANY_REQUESTS,
    );
  };
}

function keyGenerator({ client, ip, socket }: FastifyRequest): string {
  if (client !== undefined) return `client ${client.client_id ?? 'ADMIN_API_KEY'}`;
  // Some proxies write the port, too. What is no address at all counts for the proxy that sent it.
  const address = ip.replace(/^\[(.*)\](:\d+)?$/, '$1').replace(/^([\d.]+):\d+$/, '$1');
  // An IPv6 caller has a whole /64 of addresses, which counts as one.
  return rateLimit.normalizeIP(isIP(address) === 0 ? (socket.remoteAddress ?? '') : address);
}

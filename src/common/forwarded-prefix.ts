import proxyAddr from '@fastify/proxy-addr';
import type { FastifyInstance, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * The path that the proxy in front has removed from the start of the URL, such as `/phones`; empty if there is
     * none.
     */
    readonly forwardedPrefix: string;
  }
}

/** One or more segments of unreserved characters (RFC 3986, section 2.3), none of which is `.` or `..`. */
const PREFIX = /^(\/(?!\.{1,2}(\/|$))[\w.~-]+)+$/;

/** The longest prefix, in characters. */
const MAX_LENGTH = 255;

/**
 * Decorates each request with the path that the proxy in front has removed, as `X-Forwarded-Prefix` says, so that links
 * can begin with it. The header is ignored if it is malformed, or if its sender is not a trusted proxy. If several
 * proxies have added to it, the last one counts, as Fastify does it for `X-Forwarded-Host`.
 *
 * @param trustedProxies as in `trustProxy` of Fastify
 */
export function decorateForwardedPrefix(
  fastify: FastifyInstance,
  trustedProxies: string[] | undefined,
): void {
  // The function that Fastify uses for `trustProxy`.
  const isTrusted = trustedProxies && proxyAddr.compile(trustedProxies);
  fastify.decorateRequest('forwardedPrefix', {
    getter(this: FastifyRequest): string {
      const header = this.headers['x-forwarded-prefix'];
      if (header === undefined || !isTrusted?.(this.socket.remoteAddress ?? '', 0)) return '';
      const prefix = String(header).replace(/^.*,/, '').trim().replace(/\/$/, '');
      return prefix.length <= MAX_LENGTH && PREFIX.test(prefix) ? prefix : '';
    },
  });
}

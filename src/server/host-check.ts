import { isIPv6 } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { DETAIL_BY_STATUS, createProblemDetails, sendProblem } from '../common/problem-details.js';
import { type Environment, isLoopback } from '../config/environment.js';

/**
 * Rejects requests whose `Host` is not one of this service with 421 (RFC 9110, section 15.5.20). A web page can make
 * its own host name resolve to the address of the service (DNS rebinding). The browser then takes the service for the
 * server of the page, and lets the page read and write everything; only `Host` still has the name of the page.
 *
 * On a loopback `HOST`, only loopback names and `ALLOWED_HOSTS` are allowed. On any other `HOST`, the service cannot
 * know its names, so the same applies only if `ALLOWED_HOSTS` is set.
 */
export function checkHosts(fastify: FastifyInstance, { HOST, ALLOWED_HOSTS }: Environment): void {
  if (!isLoopback(HOST) && ALLOWED_HOSTS === undefined) return;
  const allowedHosts = new Set(['[::1]', ...(ALLOWED_HOSTS ?? []).map(toUriHost)]);
  fastify.addHook('onRequest', (request, reply, done) => {
    // Only absent in HTTP/1.0, which browsers do not use.
    const host = request.headers.host?.toLowerCase().replace(/:\d*$/, '');
    if (host === undefined || isLoopback(host) || allowedHosts.has(host)) done();
    else sendProblem(reply, createProblemDetails(421, DETAIL_BY_STATUS[421]));
  });
}

/** @returns the host as it appears in a URL, and so in `Host`: in lower case, an IPv6 address in brackets */
function toUriHost(host: string): string {
  return isIPv6(host) ? new URL(`http://[${host}]`).hostname : host.toLowerCase();
}

import type { FastifyInstance } from 'fastify';

/** For data: a browser must not render it, run anything in it or embed it. */
const DATA_HEADERS = {
  'Content-Security-Policy': "default-src 'none';frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

/** For the pages of Swagger UI, which load their own files and have inline styles and images. */
const PAGE_HEADERS = {
  ...DATA_HEADERS,
  'Content-Security-Policy':
    "default-src 'self';base-uri 'self';font-src 'self' data:;form-action 'self';frame-ancestors 'self';" +
    "img-src 'self' data:;object-src 'none';script-src 'self';script-src-attr 'none';style-src 'self' 'unsafe-inline'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'X-Frame-Options': 'SAMEORIGIN',
};

/**
 * Sets the security headers. `Strict-Transport-Security` is not among them, as it must not be sent over plain HTTP
 * (RFC 6797, section 7.2): the proxy that terminates TLS should send it. They are constants, as Nest's
 * `useSecurityHeaders()` and helmet set them on the raw response, which costs a tenth of the throughput of lists.
 */
export function setSecurityHeaders(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.headers(request.url.startsWith('/docs') ? PAGE_HEADERS : DATA_HEADERS);
    done();
  });
}

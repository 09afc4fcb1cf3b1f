import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** The most important of the headers for data, where no hook runs that could set all of them. */
export const DATA_HEADERS = {
  'Content-Security-Policy': "default-src 'none';frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
};

/** The headers of the pages of Swagger UI that differ from those for data. */
const PAGE_HEADERS = {
  // Swagger UI has inline styles and images.
  'Content-Security-Policy':
    "default-src 'self';base-uri 'self';font-src 'self' data:;form-action 'self';frame-ancestors 'self';img-src 'self' data:;" +
    "object-src 'none';script-src 'self';script-src-attr 'none';style-src 'self' 'unsafe-inline'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'X-Frame-Options': 'SAMEORIGIN',
};

/**
 * Sets the security headers. By default they are those of data: a browser must not render it, run anything in it or
 * embed it. The pages of Swagger UI get a policy that lets them load their own files. `Strict-Transport-Security` is not
 * among them, as it must not be sent over plain HTTP (RFC 6797, section 7.2): the proxy that terminates TLS should send it.
 */
export function setSecurityHeaders(app: NestFastifyApplication): void {
  app.useSecurityHeaders({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: "'none'", frameAncestors: "'none'" },
    },
    xFrameOptions: { action: 'deny' },
    strictTransportSecurity: false,
    // The others only concern pages and what they load.
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  });
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', (request, reply, done) => {
      if (request.url.startsWith('/docs')) reply.headers(PAGE_HEADERS);
      done();
    });
}

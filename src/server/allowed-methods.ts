import type { FastifyInstance } from 'fastify';
import findMyWay from 'find-my-way';

export const ROUTER_OPTIONS = {
  ignoreTrailingSlash: true,
  // Longer than any URL, so that an overlong ID or slug is 404, like any other that does not exist.
  maxParamLength: 16 * 1024,
};

/** Knows the methods of each path, for the `Allow` header of a 405 response (RFC 9110, section 15.5.6). */
export class AllowedMethods {
  // Fastify does not expose its router, so this is a second one with the same options.
  private readonly router = findMyWay(ROUTER_OPTIONS);
  private readonly methods = new Set<string>();

  /** Must be created before the first route is registered. */
  constructor(fastify: FastifyInstance) {
    fastify.addHook('onRoute', ({ method, url }) => {
      // The route for CORS preflight requests matches every path.
      if (url === '*') return;
      for (const routeMethod of [method].flat()) {
        this.methods.add(routeMethod);
        if (!this.router.hasRoute(routeMethod as 'GET', url))
          this.router.on(routeMethod as 'GET', url, () => undefined);
      }
    });
  }

  /** @returns the methods that are allowed at a URL, sorted; empty if nothing is there */
  find(url: string): string[] {
    return [...this.methods].filter((method) => this.router.find(method as 'GET', url) !== null).sort();
  }
}

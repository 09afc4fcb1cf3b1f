import type { FastifyInstance } from 'fastify';
import findMyWay from 'find-my-way';

export const ROUTER_OPTIONS = {
  ignoreTrailingSlash: true,
  // As long as a URL can be: an ID or a slug that is too long for one is unknown, not an error of its own.
  maxParamLength: 16 * 1024,
};

/** Knows which methods each path has, so that another one is answered 405 with `Allow` (RFC 9110, section 15.5.6). */
export class AllowedMethods {
  // Fastify does not hand out its own router. This is another of the same make, with the same options.
  private readonly router = findMyWay(ROUTER_OPTIONS);
  private readonly methods = new Set<string>();

  /** Must come before the first route. */
  constructor(fastify: FastifyInstance) {
    fastify.addHook('onRoute', ({ method, url }) => {
      // The route of preflight requests is at every path, and makes nothing possible there.
      if (url === '*') return;
      for (const one of [method].flat()) {
        this.methods.add(one);
        if (!this.router.hasRoute(one as 'GET', url)) this.router.on(one as 'GET', url, () => undefined);
      }
    });
  }

  /** The methods of a path; none when there is nothing at it. */
  of(url: string): string[] {
    return [...this.methods].filter((method) => this.router.find(method as 'GET', url) !== null).sort();
  }
}

import type { FastifyInstance } from 'fastify';
import { pathOf } from './path-params.js';

/** Sets `Location` to the path of a created resource (RFC 9110, section 15.3.2), if there is a GET route for it. */
export function setLocationHeader(fastify: FastifyInstance): void {
  /** The routes with a GET route for a single resource below them. */
  const collections = new Set<string | undefined>();
  fastify.addHook('onRoute', ({ method, url }) => {
    const [, collection] = /^(.+)\/:[^/]+$/.exec(url) ?? [];
    if (collection !== undefined && [method].flat().includes('GET')) collections.add(collection);
  });
  fastify.addHook('preSerialization', (request, reply, payload, done) => {
    if (reply.statusCode === 201 && collections.has(request.routeOptions.url)) {
      const path = `${request.forwardedPrefix}${pathOf(request.url)}`;
      reply.header('Location', `${path}/${(payload as { id: number }).id}`);
    }
    done(null, payload);
  });
}

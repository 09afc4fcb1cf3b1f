import type { FastifyInstance } from 'fastify';
import { pathOf } from './path-params.js';

/** Says in `Location` where the resource is that a POST created (RFC 9110, section 15.3.2), if it can be got there. */
export function setLocationHeader(fastify: FastifyInstance): void {
  /** The routes below which a resource can be got by its ID. */
  const collections = new Set<string | undefined>();
  fastify.addHook('onRoute', ({ method, url }) => {
    const [, collection] = /^(.+)\/:[^/]+$/.exec(url) ?? [];
    if (collection !== undefined && [method].flat().includes('GET')) collections.add(collection);
  });
  fastify.addHook('preSerialization', (request, reply, payload, done) => {
    if (reply.statusCode === 201 && collections.has(request.routeOptions.url)) {
      reply.header('Location', `${pathOf(request.url)}/${(payload as { id: number }).id}`);
    }
    done(null, payload);
  });
}

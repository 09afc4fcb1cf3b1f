import type { FastifyInstance } from 'fastify';

/** Says in `Location` where the resource is that a POST created (RFC 9110, section 15.3.2), if it can be got there. */
export function locateCreated(fastify: FastifyInstance): void {
  /** The routes below which a resource can be got by its ID. */
  const collections = new Set<string | undefined>();
  fastify.addHook('onRoute', ({ method, url }) => {
    if ([method].flat().includes('GET')) collections.add(url.replace(/\/:[^/]+$/, ''));
  });
  fastify.addHook('preSerialization', (request, reply, payload, done) => {
    if (reply.statusCode === 201 && collections.has(request.routeOptions.url)) {
      const collection = request.url.replace(/[?#].*$/s, '').replace(/\/$/, '');
      reply.header('Location', `${collection}/${(payload as { id: number }).id}`);
    }
    done(null, payload);
  });
}

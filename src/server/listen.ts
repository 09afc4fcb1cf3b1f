import type { FastifyInstance } from 'fastify';
import { listenOnAnotherAddress } from './http-server.js';

/** The machine has no such address, such as `::1` without IPv6. */
const MISSING_ADDRESS = ['EADDRNOTAVAIL', 'EAFNOSUPPORT'];

/**
 * Listens on a host and logs the URL of the API. `localhost` is both 127.0.0.1 and ::1, as clients use either. Fastify
 * would only listen on one of them, because it has a `serverFactory`.
 *
 * @param host an IP address or a host name
 * @param port 0 to 65535; 0 lets the system pick one
 * @returns the URL of the service
 * @throws Error when the host or the port cannot be used
 */
export async function listen(fastify: FastifyInstance, host: string, port: number): Promise<string> {
  const isLocalhost = host.toLowerCase() === 'localhost';
  // app.listen() also logs the error that it throws, so a port in use would produce two log lines.
  const url = await fastify.listen({
    host: isLocalhost ? '127.0.0.1' : host,
    port,
    listenTextResolver: (url) => `Phones API at ${url}/v1`,
  });
  if (isLocalhost) {
    await listenOnAnotherAddress(fastify.server, '::1').catch((error: unknown) => {
      if (!MISSING_ADDRESS.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    });
  }
  return url;
}

import { type Environment, environmentConfig } from './config/environment.js';
import { exitWithError, StartupError } from './config/startup-error.js';
import { createApp } from './create-app.js';
import { exitOnSecondSignal } from './server/shutdown.js';

/** Starts the service. If it cannot start, the process exits with status 1. */
export async function serve(): Promise<void> {
  try {
    const app = await createApp();
    const { HOST, PORT } = app.get<Environment>(environmentConfig.KEY);
    exitOnSecondSignal();
    await app.init();
    const fastify = app.getHttpAdapter().getInstance();
    // app.listen() also logs the error that it throws, so a port in use would produce two log lines.
    const address = await fastify
      .listen({ host: HOST, port: PORT, listenTextResolver: (url) => `Phones API at ${url}/v1` })
      .catch((error: unknown) => {
        throw new StartupError(`Cannot listen on HOST ${HOST}, PORT ${PORT}: ${(error as Error).message}`);
      });
    fastify.log.info(`Swagger UI at ${address}/docs`);
  } catch (error) {
    exitWithError(error);
  }
}

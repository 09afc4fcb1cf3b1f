import { parseDatabaseUrl } from './config/database-url.js';
import { type Environment, environmentConfig } from './config/environment.js';
import { VERSION } from './config/package.js';
import { exitWithError, StartupError } from './config/startup-error.js';
import { createApp } from './create-app.js';
import { listen } from './server/listen.js';
import { shutDownOnSignals } from './server/shutdown.js';

/** Starts the service. If it cannot start, the process exits with status 1. */
export async function serve(): Promise<void> {
  try {
    const app = await createApp();
    const environment = app.get<Environment>(environmentConfig.KEY);
    const { HOST, PORT, REQUIRE_API_KEY = 'never' } = environment;
    await app.init();
    shutDownOnSignals(app);
    const fastify = app.getHttpAdapter().getInstance();
    const url = await listen(fastify, HOST, PORT).catch((error: unknown) => {
      throw new StartupError(`Cannot listen on HOST ${HOST}, PORT ${PORT}: ${(error as Error).message}`);
    });
    fastify.log.info(
      { version: VERSION, database: databaseLogFields(environment), require_api_key: REQUIRE_API_KEY },
      `Swagger UI at ${url}/docs`,
    );
    process.once('exit', (code) => {
      if (code === 0) fastify.log.info('The service has stopped.');
    });
  } catch (error) {
    exitWithError(error);
  }
}

/** Describes the database for the log, without user and password. */
function databaseLogFields({ DATABASE_URL, DATA_DIR }: Environment): object {
  if (DATABASE_URL === undefined) return { engine: 'embedded', directory: DATA_DIR };
  const { host, port, database } = parseDatabaseUrl(DATABASE_URL);
  return { engine: 'PostgreSQL', host, port, name: database };
}

import 'reflect-metadata';
import { type Environment, environmentConfig } from './config/environment.js';
import { createApp } from './create-app.js';
import { exitWith } from './start-failure.js';

try {
  const app = await createApp();
  const { HOST, PORT } = app.get<Environment>(environmentConfig.KEY);
  await app.init();
  // Not app.listen(), which logs what it throws as well: a port in use would take two lines.
  const fastify = app.getHttpAdapter().getInstance();
  const address = await fastify.listen({
    host: HOST,
    port: PORT,
    listenTextResolver: (url) => `Phones API at ${url}/v1`,
  });
  fastify.log.info(`Swagger UI at ${address}/docs`);
} catch (error) {
  exitWith(error);
}

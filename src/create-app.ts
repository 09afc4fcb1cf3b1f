import { Logger, VersioningType } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import dataSource from '../ormconfig.js';
import { AppModule } from './app.module.js';
import { findSettingWarnings, loadEnvironment } from './config/environment.js';
import { serveOpenApi } from './openapi.js';
import { createAdapter, registerHooks } from './server/create-adapter.js';
import { PinoLogger } from './server/pino-logger.js';

/**
 * Connects to the database, migrates it and builds the application, ready to listen.
 *
 * @throws StartupError for an invalid setting, or when the database cannot be used
 */
export async function createApp(): Promise<NestFastifyApplication> {
  // Also loaded by ConfigModule, and by the data source, which the TypeORM CLI uses without Nest.
  const environment = loadEnvironment();
  const adapter = createAdapter(environment);
  const { log } = adapter.getInstance();
  Logger.overrideLogger(new PinoLogger(log));
  for (const warning of findSettingWarnings()) log.warn(warning);

  await dataSource.initialize();
  await dataSource.runMigrations();

  const app = await NestFactory.create<NestFastifyApplication>(AppModule, adapter, {
    abortOnError: false,
    bodyParser: false,
  });
  app.enableVersioning({ type: VersioningType.URI });
  await registerHooks(app, environment);
  serveOpenApi(app);
  return app;
}

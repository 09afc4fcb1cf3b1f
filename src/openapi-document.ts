import 'reflect-metadata';
import { createApp } from './create-app.js';
import { buildOpenApiDocument } from './http/openapi.js';
import { exitWith } from './start-failure.js';

// Prints the OpenAPI document, for linters and for generators of clients.
try {
  const app = await createApp();
  console.log(JSON.stringify(buildOpenApiDocument(app), null, 2));
  await app.close();
} catch (error) {
  exitWith(error);
}

import { rm } from 'node:fs/promises';
import type { TestProject } from 'vitest/node';
import { EmbeddedDatabase } from '../../src/database/embedded/embedded-database.js';
import { newTemporaryDirectory } from './temporary-directory.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The path of a data directory with an empty database. Copying it saves the seconds that creating one takes. */
    embeddedTemplate: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const template = newTemporaryDirectory();
  await (await EmbeddedDatabase.open(template)).close();
  project.provide('embeddedTemplate', template);
  return () => rm(template, { recursive: true });
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { EmbeddedDatabase } from '../../src/database/embedded/embedded-database.js';
import { runOnExit } from './run-on-exit.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The path of a data directory with an empty database. Copying it saves the seconds that creating one takes. */
    embeddedTemplate: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const template = await mkdtemp(join(tmpdir(), 'phones-template-'));
  runOnExit('rm -rf "$1"', template);
  await (await EmbeddedDatabase.open(template)).close();
  project.provide('embeddedTemplate', template);
  return () => rm(template, { recursive: true });
}

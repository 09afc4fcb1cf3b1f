import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runOnExit } from './run-on-exit.js';

/** Creates a directory that is removed when this process ends. @returns its path */
export function newTemporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'phones-test-'));
  // A process that is being killed may still create files in it.
  runOnExit('for _ in 1 2 3 4 5; do rm -rf "$1" && break; sleep 1; done', directory);
  return directory;
}

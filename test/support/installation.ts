import { cpSync, mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runOnExit } from './run-on-exit.js';

/**
 * Copies the built service to a temporary directory, which is deleted when this process ends. The service reads `.env`
 * and a relative DATA_DIR there, and not in the repository.
 *
 * @returns the path of the directory
 */
export function createInstallation(): string {
  const directory = mkdtempSync(join(tmpdir(), 'phones-installation-'));
  runOnExit('rm -rf "$1"', directory);
  for (const name of ['dist', 'package.json']) cpSync(name, join(directory, name), { recursive: true });
  symlinkSync(resolve('node_modules'), join(directory, 'node_modules'));
  return directory;
}

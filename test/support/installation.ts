import { cpSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { newTemporaryDirectory } from './temporary-directory.js';

/**
 * Copies the built service to a temporary directory, which is deleted when this process ends. The service reads `.env`
 * and a relative DATA_DIR there, and not in the repository.
 *
 * @returns the path of the directory
 */
export function createInstallation(): string {
  const directory = newTemporaryDirectory();
  for (const name of ['dist', 'package.json']) cpSync(name, join(directory, name), { recursive: true });
  symlinkSync(resolve('node_modules'), join(directory, 'node_modules'));
  return directory;
}

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The directory of the service, which contains package.json. */
export const PACKAGE_DIRECTORY = findPackageDirectory();

/** The version of the service. */
export const { version: VERSION } = JSON.parse(
  readFileSync(join(PACKAGE_DIRECTORY, 'package.json'), 'utf8'),
) as { version: string };

/** Node.js 20 has no `findPackageJSON`. The source and the compiled files are at different depths. */
function findPackageDirectory(): string {
  let directory = import.meta.dirname;
  while (!existsSync(join(directory, 'package.json')) && directory !== dirname(directory)) {
    directory = dirname(directory);
  }
  return directory;
}

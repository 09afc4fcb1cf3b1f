import { parseArgs } from 'node:util';
import { VERSION } from './config/package.js';
import { exitWithError, StartupError } from './config/startup-error.js';

const OPTIONS = `
Options:
  -h, --help     print this text and exit
  -v, --version  print the version and exit`;

/**
 * Handles the arguments of a command. `--help` and `--version` print and exit with status 0. For any
 * other argument, prints one line and exits with status 1.
 *
 * @param usage how the command is called, and what it does
 */
export function handleArguments(usage: string): void {
  try {
    const { values } = parseArgs({
      options: { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean', short: 'v' } },
    });
    if (!values.help && !values.version) return;
    console.log(values.help ? `${usage}\n${OPTIONS}` : VERSION);
  } catch (error) {
    exitWithError(new StartupError(`${(error as Error).message}; see --help.`));
  }
  process.exit(0);
}

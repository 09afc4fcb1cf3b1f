/** The service cannot start. The message is one line that tells the operator what to change. */
export class StartupError extends Error {}

/**
 * Exits with status 1. A StartupError is printed as one line; any other error is a bug, and printed with its stack
 * trace.
 */
export function exitWithError(error: unknown): never {
  console.error(error instanceof StartupError ? error.message : error);
  process.exit(1);
}

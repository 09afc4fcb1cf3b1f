/** The service cannot start. The message is one line that tells the operator what to change. */
export class StartupError extends Error {}

/**
 * Ends a process that could not do what it was started for. What the operator can change is one line;
 * anything else is a fault of the program and shown whole.
 */
export function exitWithError(error: unknown): never {
  console.error(error instanceof StartupError ? error.message : error);
  process.exit(1);
}

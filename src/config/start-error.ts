/** The service cannot start. The message is one line that tells the operator what to change. */
export class StartError extends Error {}

/**
 * Ends a process that could not do what it was started for. What the operator can change is one line;
 * anything else is a fault of the program and shown whole.
 */
export function exitWith(error: unknown): never {
  console.error(error instanceof StartError ? error.message : error);
  process.exit(1);
}

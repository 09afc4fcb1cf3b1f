import { StartError } from './config/start-error.js';

/**
 * Ends a process that could not do what it was started for. What the operator can change is one line;
 * anything else is a fault of the program and shown whole.
 */
export function exitWith(error: unknown): never {
  const isForOperator = error instanceof StartError || (error instanceof Error && 'syscall' in error);
  console.error(isForOperator ? error.message : error);
  process.exit(1);
}

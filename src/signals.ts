import { isatty } from 'node:tty';

/**
 * `nohup` redirects what is a terminal. Node.js does not tell whether SIGHUP was ignored: it resets that when it
 * starts.
 */
const hasTerminal = [0, 1, 2].some((fd) => isatty(fd));

/**
 * The signals that shut the service down. Without a terminal, SIGHUP is ignored, so that the service runs under
 * `nohup`.
 */
export const SHUTDOWN_SIGNALS: readonly NodeJS.Signals[] = hasTerminal
  ? ['SIGTERM', 'SIGINT', 'SIGHUP']
  : ['SIGTERM', 'SIGINT'];

/**
 * Makes a signal end the process at once until `stopExitingOnSignals` is called. That is the default, except for
 * process 1, such as the only process of a container: the system ignores the signals that it does not handle. The exit
 * status is the one that a shell reports, 128 plus the number of the signal.
 */
export function exitOnSignals(): void {
  if (!hasTerminal) process.on('SIGHUP', () => undefined);
  if (process.pid !== 1) return;
  for (const signal of SHUTDOWN_SIGNALS) process.on(signal, exit);
}

/** Leaves the signals to other handlers, which must be installed before. */
export function stopExitingOnSignals(): void {
  for (const signal of SHUTDOWN_SIGNALS) process.off(signal, exit);
}

function exit(_signal: NodeJS.Signals, number: number): never {
  process.exit(128 + number);
}

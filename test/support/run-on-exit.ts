import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';

/**
 * Runs a shell script when this process ends, even if it is killed. The shell is a process of its own that waits for
 * the end of its standard input.
 *
 * @param args the script's `$1`, `$2` and so on
 * @returns a function that cancels the script
 */
export function runOnExit(script: string, ...args: string[]): () => void {
  // In a process group of its own, the shell does not get the SIGINT of Ctrl+C.
  const shell = spawn('sh', ['-c', `read -r _ || { ${script}; }`, 'run-on-exit', ...args], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  shell.unref();
  (shell.stdin as Socket).on('error', () => undefined).unref();
  return () => shell.stdin.end('cancel\n');
}

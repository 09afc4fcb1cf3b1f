import { readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { StartupError } from '../../config/startup-error.js';

/** How long the holder of a lock may take to respond, in milliseconds. It may be busy. */
const HOLDER_TIMEOUT = 2000;

/**
 * Removes the lock file of an earlier version, which contains a loopback port, a token with which the holder responds
 * on that port, and the process ID of the holder.
 *
 * @throws StartupError when the earlier version is still running
 */
export async function removeFormerLockFile(directory: string): Promise<void> {
  const file = join(directory, 'lock');
  const content = await readFile(file, 'utf8').catch(() => undefined);
  if (content === undefined) return;
  if (await isHeld(content)) {
    throw new StartupError(`DATA_DIR is in use by an earlier version of the service: ${file}`);
  }
  await rm(file, { force: true });
}

async function isHeld(content: string): Promise<boolean> {
  const [port, token = '', processId] = content.split(' ');
  if (!isRunning(Number(processId))) return false;
  const signal = AbortSignal.timeout(HOLDER_TIMEOUT);
  let response = '';
  try {
    const socket = connect({ port: Number(port), host: '127.0.0.1', signal }).setEncoding('utf8');
    for await (const part of socket) {
      response += part as string;
      // Another program uses the port now, and may never stop sending.
      if (!token.startsWith(response)) return false;
    }
    return response === token;
  } catch {
    // A holder that is too busy to respond still holds the lock.
    return signal.aborted;
  }
}

/** Whether a process with this ID exists. */
function isRunning(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

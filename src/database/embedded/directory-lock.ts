import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { StartupError } from '../../config/startup-error.js';

/** How long the holder of a lock may take to answer, in milliseconds. One that is busy takes its time. */
const HOLDER_TIMEOUT = 2000;

/**
 * Keeps a second process of this machine out of a directory. The lock file names a loopback port on which the
 * holder answers with what stands in the file, and its process ID; a holder that was killed answers no more, so the file
 * that it left behind locks nothing. (Node.js has no `flock`. A process ID alone may have been given to another process
 * since, and so may a port.)
 */
export class DirectoryLock {
  private constructor(
    private readonly file: string,
    private readonly content: string,
    private readonly server: Server,
  ) {}

  /** @throws StartError when another process holds the lock */
  static async acquire(directory: string): Promise<DirectoryLock> {
    const file = join(directory, 'lock');
    const token = randomUUID();
    const server = createServer((socket) => socket.on('error', () => socket.destroy()).end(token));
    server.listen(0, '127.0.0.1').unref();
    await once(server, 'listening');
    const content = `${(server.address() as AddressInfo).port} ${token} ${process.pid}`;

    // Linking gives a file that is whole its name, if the name is free, in one step.
    const own = join(directory, `lock.${token}`);
    try {
      await writeFile(own, content);
      while (!(await linked(own, file))) await removeStale(file, join(directory, `stale.${token}`));
      return new DirectoryLock(file, content, server);
    } catch (error) {
      server.close();
      throw error;
    } finally {
      await rm(own, { force: true });
    }
  }

  async release(): Promise<void> {
    this.server.close();
    if ((await readContent(this.file)) === this.content) await rm(this.file, { force: true });
  }
}

async function linked(file: string, name: string): Promise<boolean> {
  try {
    await link(file, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** @throws StartError when the lock file is not stale: its holder answers, or is too busy to */
async function removeStale(file: string, aside: string): Promise<void> {
  const content = await readContent(file);
  if (content === undefined) return;
  if (await isHeld(content)) throw new StartupError(`DATA_DIR is in use by another process: ${file}`);
  // Another process may have taken over in the meantime. What is moved aside is looked at before it goes.
  await rename(file, aside).catch(() => undefined);
  if ((await readContent(aside)) !== content) await linked(aside, file).catch(() => undefined);
  await rm(aside, { force: true });
}

async function readContent(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}

async function isHeld(content: string): Promise<boolean> {
  const [port, token = '', processId] = content.split(' ');
  if (!isRunning(Number(processId))) return false;
  const signal = AbortSignal.timeout(HOLDER_TIMEOUT);
  let answer = '';
  try {
    const socket = connect({ port: Number(port), host: '127.0.0.1', signal }).setEncoding('utf8');
    for await (const part of socket) {
      answer += part as string;
      // Somebody else, who may go on for ever.
      if (!token.startsWith(answer)) return false;
    }
    return answer === token;
  } catch {
    return signal.aborted;
  }
}

/** Whether there is a process with this ID, as far as the system tells. */
function isRunning(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { StartupError } from '../../config/startup-error.js';

/** How long the holder of a lock may take to respond, in milliseconds. It may be busy. */
const HOLDER_TIMEOUT = 2000;

/**
 * Locks a directory against other processes on this machine. The lock file contains the process ID of the holder, a
 * loopback port and a token, with which the holder responds on that port. The file of a killed holder is stale, as nobody
 * responds. Node.js has no `flock`, and a process ID or a port alone may belong to another process by now.
 */
export class DirectoryLock {
  private constructor(
    private readonly file: string,
    private readonly content: string,
    private readonly server: Server,
  ) {}

  /** @throws StartupError when another process holds the lock */
  static async acquire(directory: string): Promise<DirectoryLock> {
    const file = join(directory, 'lock');
    const token = randomUUID();
    const server = createServer((socket) => socket.on('error', () => socket.destroy()).end(token));
    server.listen(0, '127.0.0.1').unref();
    await once(server, 'listening');
    const content = `${(server.address() as AddressInfo).port} ${token} ${process.pid}`;

    // A link is created atomically, and only if the name is free. The file is already complete.
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

/** @throws StartupError when the lock file is not stale: its holder responds, or is too busy to respond */
async function removeStale(file: string, aside: string): Promise<void> {
  const content = await readContent(file);
  if (content === undefined) return;
  if (await isHeld(content)) throw new StartupError(`DATA_DIR is in use by another process: ${file}`);
  // Another process may have replaced the stale file in the meantime, so the file is checked again once it is moved aside.
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

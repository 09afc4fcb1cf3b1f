import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { link, readdir, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { StartupError } from '../../config/startup-error.js';

/**
 * Locks a directory against all other processes on this machine, including those in other containers. The holder
 * listens on a Unix socket, which the operating system closes when the process ends, however it ends. Node.js has no
 * `flock`.
 *
 * The socket has the name `lock.N`, where N is one more than the number of a killed holder, if there is one. Two
 * processes cannot both hold the lock: each links its listening socket before it looks for others, so the later one
 * sees the other.
 */
export class DirectoryLock {
  private constructor(
    private readonly server: Server,
    private readonly path?: string,
  ) {}

  /**
   * @param directory an absolute path
   * @throws StartupError when another process holds the lock
   */
  static async acquire(directory: string): Promise<DirectoryLock> {
    const server = createServer((socket) => socket.destroy()).unref();
    try {
      if (process.platform !== 'win32') return new DirectoryLock(server, await lock(server, directory));
      await listenOnPipe(server, directory);
      return new DirectoryLock(server);
    } catch (error) {
      server.close();
      throw error;
    }
  }

  async release(): Promise<void> {
    // In this order, because a name that nobody listens on can be taken by another process.
    if (this.path !== undefined) await rm(this.path, { force: true });
    this.server.close();
  }
}

/** @returns the path of the lock */
async function lock(server: Server, directory: string): Promise<string> {
  const socket = join(directory, `lock-${randomBytes(4).toString('hex')}`);
  server.listen(socket);
  await once(server, 'listening');
  try {
    let path: string | undefined;
    while (path === undefined) path = await tryToLink(socket, directory);
    return path;
  } finally {
    await rm(socket, { force: true });
  }
}

/** @returns the path of the lock; undefined if another process was faster */
async function tryToLink(socket: string, directory: string): Promise<string | undefined> {
  const toPath = (number: number): string => join(directory, `lock.${number}`);
  const highest = Math.max(...(await lockNumbers(directory)));
  if (await isListening(toPath(highest))) throw inUse(directory);
  const own = highest + 1;
  try {
    // A link is created atomically, and only if the name is free.
    await link(socket, toPath(own));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw error;
  }
  // A process that has read the directory earlier or later may have linked another number.
  const others = (await lockNumbers(directory)).filter((number) => number !== own).map(toPath);
  for (const other of others) {
    if (await isListening(other)) {
      await rm(toPath(own));
      return undefined;
    }
  }
  for (const killed of others) await rm(killed, { force: true });
  return toPath(own);
}

/** Returns the numbers of all locks in the directory, and 0. */
async function lockNumbers(directory: string): Promise<number[]> {
  const names = await readdir(directory);
  return [0, ...names.map((name) => Number(/^lock\.(\d+)$/.exec(name)?.[1] ?? 0))];
}

/** A process that is busy or stopped still listens: the operating system accepts connections for it. */
async function isListening(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    // The holder has not accepted earlier connections yet, or stops listening at this moment.
    if (['EAGAIN', 'ECONNRESET'].includes(code)) return true;
    if (['ECONNREFUSED', 'ENOENT', 'ENOTSOCK'].includes(code)) return false;
    throw error;
  } finally {
    socket.destroy();
  }
}

/** Windows gives a named pipe to one process at a time. */
async function listenOnPipe(server: Server, directory: string): Promise<void> {
  server.listen(`\\\\.\\pipe\\phones-${createHash('sha256').update(directory).digest('hex')}`);
  await once(server, 'listening').catch((error: unknown) => {
    throw (error as NodeJS.ErrnoException).code === 'EADDRINUSE' ? inUse(directory) : error;
  });
}

function inUse(directory: string): StartupError {
  return new StartupError(`DATA_DIR is in use by another process: ${directory}`);
}

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { StartError } from '../config/start-error.js';

/**
 * Keeps a second process out of a directory. The lock file names a loopback port on which the holder
 * answers with the token written beside it; a holder that was killed answers no more, so the file it
 * left behind locks nothing. (Node.js has no `flock`, and a process ID alone may have been given to
 * another process since.)
 */
export class DirectoryLock {
  private constructor(
    private readonly file: string,
    private readonly server: Server,
  ) {}

  /** @throws StartError when another process holds the lock */
  static async acquire(directory: string): Promise<DirectoryLock> {
    const file = join(directory, 'lock');
    const token = randomUUID();
    const server = createServer((socket) => socket.on('error', () => socket.destroy()).end(token));
    server.listen(0, '127.0.0.1').unref();
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;

    for (;;) {
      try {
        await writeFile(file, `${port} ${token}`, { flag: 'wx' });
        return new DirectoryLock(file, server);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      if (await isHeld(file)) {
        server.close();
        throw new StartError(`DATA_DIR ${directory} is in use by another process.`);
      }
      await rm(file, { force: true });
    }
  }

  async release(): Promise<void> {
    this.server.close();
    await rm(this.file, { force: true });
  }
}

async function isHeld(file: string): Promise<boolean> {
  try {
    const [port, token] = (await readFile(file, 'utf8')).split(' ');
    const socket = connect(Number(port), '127.0.0.1').setTimeout(2000, () => socket.destroy());
    return (await text(socket)) === token;
  } catch {
    return false;
  }
}

import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { StartError } from '../config/start-error.js';
import { DirectoryLock } from './directory-lock.js';

/**
 * PGlite (PostgreSQL compiled to WebAssembly) in this process, served on a loopback port so that the
 * ordinary `pg` driver, with all that is built on it, works as it does with a server.
 */
export class EmbeddedDatabase {
  private constructor(
    private readonly lock: DirectoryLock,
    private readonly database: PGlite,
    private readonly server: PGLiteSocketServer,
  ) {}

  /**
   * @param dataDirectory where the database keeps its files; created when it is not there
   * @throws StartError when the directory cannot be written or another process uses it
   */
  static async open(dataDirectory: string): Promise<EmbeddedDatabase> {
    const directory = resolve(dataDirectory);
    const lock = await lockDirectory(directory);
    try {
      const database = await PGlite.create({ dataDir: await databaseFiles(directory) });
      // The pool holds one connection. The others are room for the moment in which it replaces it.
      const server = new PGLiteSocketServer({ db: database, host: '127.0.0.1', port: 0, maxConnections: 10 });
      await server.start();
      return new EmbeddedDatabase(lock, database, server);
    } catch (error) {
      await lock.release();
      throw new StartError(`DATA_DIR ${directory} holds no database that can be opened: ${String(error)}`);
    }
  }

  /** The loopback port, picked by the system, that the server listens on. */
  get port(): number {
    return Number(this.server.getServerConn().split(':')[1]);
  }

  /** Every connection must have ended. */
  async close(): Promise<void> {
    await this.server.stop();
    await this.database.close();
    await this.lock.release();
  }
}

async function lockDirectory(directory: string): Promise<DirectoryLock> {
  try {
    await makeDirectory(directory);
    return await DirectoryLock.acquire(directory);
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(`DATA_DIR ${directory} cannot be written: ${(error as Error).message}.`);
  }
}

/** Under /proc, where no directory can be made, `mkdir` with `recursive` never returns. */
async function makeDirectory(directory: string): Promise<void> {
  if (existsSync(directory)) return;
  if (!existsSync(dirname(directory))) await makeDirectory(dirname(directory));
  await mkdir(directory);
}

/** A new database gets its final name only when it is complete, so a start that was killed leaves no half of one. */
async function databaseFiles(directory: string): Promise<string> {
  const files = join(directory, 'postgresql');
  if (!existsSync(files)) {
    const unfinished = `${files}.unfinished`;
    await rm(unfinished, { recursive: true, force: true });
    const database = await PGlite.create({ dataDir: unfinished });
    await database.close();
    await rename(unfinished, files);
  }
  return files;
}

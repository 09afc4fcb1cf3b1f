import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { Logger } from '@nestjs/common';
import { StartupError } from '../../config/startup-error.js';
import { DirectoryLock } from './directory-lock.js';

/**
 * How an error message whose severity is PANIC begins (PostgreSQL documentation, section 55.8). No data can look like it,
 * as text contains no NUL.
 */
const PANIC = 'SPANIC\0VPANIC\0';

/** The pool has one connection. The others are room for the moment in which it replaces that one. */
const MAX_CONNECTIONS = 10;

/**
 * PGlite (PostgreSQL compiled to WebAssembly) in this process. It listens on a loopback port, so that the ordinary `pg`
 * driver, and everything built on it, works as it does with a server.
 */
export class EmbeddedDatabase {
  private constructor(
    private readonly lock: DirectoryLock,
    private readonly engine: PGlite,
    private readonly server: PGLiteSocketServer,
  ) {}

  /**
   * @param dataDirectory where the database keeps its files. Created if it does not exist
   * @throws StartupError when the directory cannot be written or another process uses it
   */
  static async open(dataDirectory: string): Promise<EmbeddedDatabase> {
    const directory = resolve(dataDirectory);
    const lock = await lockDirectory(directory);
    try {
      const engine = new Engine({ dataDir: await createDatabaseFiles(directory) });
      const server = new PGLiteSocketServer({
        db: engine,
        host: '127.0.0.1',
        port: 0,
        maxConnections: MAX_CONNECTIONS,
      });
      await server.start();
      return new EmbeddedDatabase(lock, engine, server);
    } catch (error) {
      await lock.release();
      throw new StartupError(`DATA_DIR ${directory} does not contain a usable database: ${String(error)}`);
    }
  }

  /** The loopback port, chosen by the operating system. */
  get port(): number {
    return Number(this.server.getServerConn().split(':')[1]);
  }

  /** Stops the engine and releases the lock. All connections must be closed first. */
  async close(): Promise<void> {
    try {
      await this.server.stop();
      await this.engine.close();
    } finally {
      await this.lock.release();
    }
  }
}

/**
 * Exits when the engine has failed, for instance because the disk is full: it would continue in an unusable state. Whoever
 * started the service starts it again, and PostgreSQL recovers what was committed from its write-ahead log.
 */
class Engine extends PGlite {
  private readonly logger = new Logger(EmbeddedDatabase.name);

  override async execProtocolRawStream(
    ...[message, options]: Parameters<PGlite['execProtocolRawStream']>
  ): Promise<void> {
    // Assigned in a callback, which TypeScript does not track.
    let hasPanicked = false as boolean;
    try {
      await super.execProtocolRawStream(message, {
        ...options,
        onRawData: (data) => {
          hasPanicked ||= Buffer.from(data.buffer, data.byteOffset, data.byteLength).includes(PANIC);
          options.onRawData(data);
        },
      });
    } catch (error) {
      this.exit(String(error));
    }
    if (hasPanicked) this.exit('PostgreSQL panicked');
  }

  private exit(reason: string): never {
    this.logger.fatal(
      `The embedded database has failed (${reason}). Start the service again; committed data is not lost.`,
    );
    process.exit(1);
  }
}

async function lockDirectory(directory: string): Promise<DirectoryLock> {
  try {
    await createDirectory(directory);
    return await DirectoryLock.acquire(directory);
  } catch (error) {
    if (error instanceof StartupError) throw error;
    throw new StartupError(`DATA_DIR ${directory} cannot be written: ${(error as Error).message}.`);
  }
}

/** Not `mkdir` with `recursive`, which never returns under /proc, where directories cannot be created. */
async function createDirectory(directory: string): Promise<void> {
  if (existsSync(directory)) return;
  if (!existsSync(dirname(directory))) await createDirectory(dirname(directory));
  await mkdir(directory);
}

/** Creates the database under a temporary name first, so that a killed process does not leave an incomplete one behind. */
async function createDatabaseFiles(directory: string): Promise<string> {
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

import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { Logger } from '@nestjs/common';
import { StartupError } from '../../config/startup-error.js';
import { DirectoryLock } from './directory-lock.js';

/**
 * How an error message of PostgreSQL's protocol begins whose severity is PANIC (PostgreSQL documentation, section 55.8).
 * Nothing that a caller sent can look like it, as text has no NUL and no length begins with `V`.
 */
const PANIC = 'SPANIC\0VPANIC\0';

/** How long after a failure the engine is started again, in milliseconds. */
const RESTART_DELAY = 500;

/**
 * PGlite (PostgreSQL compiled to WebAssembly) in this process, served on a loopback port so that the
 * ordinary `pg` driver, with all that is built on it, works as it does with a server. As a server does, the engine
 * starts again when it has failed, and finds in its files what was committed.
 */
export class EmbeddedDatabase {
  private readonly log = new Logger(EmbeddedDatabase.name);
  private database!: PGlite;
  private server!: PGLiteSocketServer;
  private restart: Promise<void> | undefined;
  private isClosing = false;

  private constructor(
    private readonly lock: DirectoryLock,
    private readonly files: string,
  ) {}

  /**
   * @param dataDirectory where the database keeps its files; created when it is not there
   * @throws StartError when the directory cannot be written or another process uses it
   */
  static async open(dataDirectory: string): Promise<EmbeddedDatabase> {
    const directory = resolve(dataDirectory);
    const lock = await lockDirectory(directory);
    try {
      const embedded = new EmbeddedDatabase(lock, await databaseFiles(directory));
      await embedded.start();
      return embedded;
    } catch (error) {
      await lock.release();
      throw new StartupError(`DATA_DIR ${directory} holds no database that can be opened: ${String(error)}`);
    }
  }

  /** The loopback port, picked by the system, that the server listens on. */
  get port(): number {
    return Number(this.server.getServerConn().split(':')[1]);
  }

  /** Every connection must have ended. */
  async close(): Promise<void> {
    this.isClosing = true;
    await this.restart;
    try {
      await this.server.stop();
      await this.database.close();
    } finally {
      await this.lock.release();
    }
  }

  private async start(port = 0): Promise<void> {
    this.database = await PGlite.create({ dataDir: this.files });
    this.watch(this.database);
    // The pool holds one connection. The others are room for the moment in which it replaces it.
    this.server = new PGLiteSocketServer({ db: this.database, host: '127.0.0.1', port, maxConnections: 10 });
    await this.server.start();
  }

  /** A server that panics ends, and its supervisor starts it again. This engine would go on, in no usable state. */
  private watch(database: PGlite): void {
    const execute = database.execProtocolRawStream.bind(database);
    database.execProtocolRawStream = async (message, { onRawData, ...options }) => {
      let hasFailed = false;
      try {
        await execute(message, {
          ...options,
          onRawData: (data) => {
            hasFailed ||= Buffer.from(data.buffer, data.byteOffset, data.byteLength).includes(PANIC);
            onRawData(data);
          },
        });
      } catch (error) {
        hasFailed = true;
        throw error;
      } finally {
        if (hasFailed) this.restart ??= this.startAgain().finally(() => (this.restart = undefined));
      }
    };
  }

  private async startAgain(): Promise<void> {
    const { port } = this;
    this.log.error('The embedded database has failed. It is started again.');
    let lastReason = '';
    while (!this.isClosing) {
      await setTimeout(RESTART_DELAY);
      try {
        // Also what the attempt before has started.
        await this.server.stop();
        await this.database.close().catch(() => undefined);
        await this.start(port);
        return;
      } catch (error) {
        const reason = String(error);
        if (reason !== lastReason)
          this.log.error(`The embedded database cannot be started again yet: ${reason}`);
        lastReason = reason;
      }
    }
  }
}

async function lockDirectory(directory: string): Promise<DirectoryLock> {
  try {
    await makeDirectory(directory);
    return await DirectoryLock.acquire(directory);
  } catch (error) {
    if (error instanceof StartupError) throw error;
    throw new StartupError(`DATA_DIR ${directory} cannot be written: ${(error as Error).message}.`);
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

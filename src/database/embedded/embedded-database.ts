import { chmodSync, existsSync, readdirSync, statfsSync, statSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { NodeFS } from '@electric-sql/pglite/nodefs';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { Logger } from '@nestjs/common';
import { StartupError } from '../../config/startup-error.js';
import { DirectoryLock } from './directory-lock.js';
import { removeFormerLockFile } from './former-lock-file.js';

/**
 * How an error message whose severity is PANIC begins (PostgreSQL documentation, section 55.8). No data can look like
 * it, as text contains no NUL.
 */
const PANIC = 'SPANIC\0VPANIC\0';

/** The pool has one connection. The others are room for the moment in which it replaces that one. */
const MAX_CONNECTIONS = 10;

/** The port that is part of the name of PostgreSQL's Unix socket. */
const PORT = 5432;

const SOCKET = `.s.PGSQL.${PORT}`;

/** The longest path of a Unix socket, in bytes. Linux allows 107, macOS 103. */
const MAX_SOCKET_PATH = 100;

/** The bit in the mode of a directory in which each user may only delete their own files. */
const STICKY = 0o1000;

/** Where the driver connects. A host that is a directory means the Unix socket in it. */
interface Address {
  host: string;
  port: number;
}

/**
 * PGlite (PostgreSQL compiled to WebAssembly) in this process. It listens on a Unix socket in its directory, so that
 * the ordinary `pg` driver, and everything built on it, works as it does with a server. On Windows, where `pg` does not
 * support Unix sockets, it listens on a loopback port instead.
 */
export class EmbeddedDatabase {
  private constructor(
    private readonly lock: DirectoryLock,
    private readonly engine: PGlite,
    private readonly server: PGLiteSocketServer,
    readonly address: Address,
  ) {}

  /**
   * Opens the database, and makes its directory private: neither the group nor others may access it. From then on, all
   * files that this process creates are private too.
   *
   * @param dataDirectory where the database keeps its files. Created if it does not exist
   * @throws StartupError when the directory cannot be written or another process uses it
   */
  static async open(dataDirectory: string): Promise<EmbeddedDatabase> {
    const directory = resolve(dataDirectory);
    process.umask(0o077);
    const lock = await lockDirectory(directory);
    try {
      makePrivate(directory);
      await removeFormerLockFile(directory);
      const engine = new Engine({ fs: new PrivateFiles(await createDatabaseFiles(directory)) });
      const [server, address] = await listen(engine, directory);
      return new EmbeddedDatabase(lock, engine, server, address);
    } catch (error) {
      await lock.release();
      if (error instanceof StartupError) throw error;
      if (statfsSync(directory).bavail === 0)
        throw new StartupError(`DATA_DIR ${directory} has no space left.`);
      throw new StartupError(`DATA_DIR ${directory} does not contain a usable database: ${toReason(error)}`);
    }
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
 * Exits when the engine has failed, for instance because the disk is full: it would continue in an unusable state.
 * Whoever started the service starts it again, and PostgreSQL recovers what was committed from its write-ahead log.
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

/**
 * Files without permissions for the group and others, also where PGlite sets the permissions after it has created a
 * file.
 */
class PrivateFiles extends NodeFS {
  override init(...[engine, options]: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const removePermissions = ({ FS }: { FS: { chmod(file: string, mode: number): void } }) => {
      const chmod = FS.chmod.bind(FS);
      FS.chmod = (file, mode) => {
        chmod(file, mode & 0o700);
      };
    };
    return super.init(engine, { ...options, preRun: [...(options.preRun ?? []), removePermissions] });
  }
}

async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const limit = MAX_SOCKET_PATH - SOCKET.length - 1;
  if (process.platform !== 'win32' && Buffer.byteLength(directory) > limit) {
    throw new StartupError(
      `DATA_DIR ${directory} is too long for the Unix socket in it: at most ${limit} bytes are possible.`,
    );
  }
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

/** Removes the permissions of the group and of others from the directory and the database in it. */
function makePrivate(directory: string): void {
  // A directory that is meant for several users, such as /tmp, stays as it is.
  const isShared = (statSync(directory).mode & STICKY) !== 0;
  // So does the directory of another user, such as a volume of OpenShift. The database in it is private nevertheless.
  if (!isShared) restrict(directory, { mayBelongToOthers: true });
  const files = databaseFiles(directory);
  if (!existsSync(files)) return;
  restrict(files);
  for (const entry of readdirSync(files, { recursive: true, withFileTypes: true })) {
    // Others cannot reach these files any more, whoever owns them.
    if (!entry.isSymbolicLink()) restrict(join(entry.parentPath, entry.name), { mayBelongToOthers: true });
  }
}

function restrict(path: string, { mayBelongToOthers = false } = {}): void {
  const { mode } = statSync(path);
  if ((mode & 0o077) === 0) return;
  try {
    chmodSync(path, mode & 0o700);
  } catch (error) {
    if (!mayBelongToOthers || (error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
  }
}

function databaseFiles(directory: string): string {
  return join(directory, 'postgresql');
}

async function listen(db: PGlite, directory: string): Promise<[PGLiteSocketServer, Address]> {
  if (process.platform === 'win32') {
    const server = new PGLiteSocketServer({
      db,
      host: '127.0.0.1',
      port: 0,
      maxConnections: MAX_CONNECTIONS,
    });
    await server.start();
    return [server, { host: '127.0.0.1', port: Number(server.getServerConn().split(':')[1]) }];
  }
  const path = join(directory, SOCKET);
  // A killed process leaves its socket behind.
  await rm(path, { force: true });
  const server = new PGLiteSocketServer({ db, path, maxConnections: MAX_CONNECTIONS });
  await server.start();
  return [server, { host: directory, port: PORT }];
}

/**
 * Creates the database under a temporary name first, so that a killed process does not leave an incomplete one behind.
 */
async function createDatabaseFiles(directory: string): Promise<string> {
  const files = databaseFiles(directory);
  if (existsSync(files)) return files;
  const unfinished = `${files}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  try {
    const database = await PGlite.create({ fs: new PrivateFiles(unfinished) });
    await database.close();
    await rename(unfinished, files);
    return files;
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw new StartupError(`DATA_DIR ${directory} cannot hold a new database: ${toReason(error)}.`);
  }
}

/** The error numbers of PGlite's file system that an operator can do something about (WASI preview 1, type `errno`). */
const FILE_ERRORS: Record<number, string> = {
  2: 'permission denied',
  19: 'the disk quota is exceeded',
  33: 'too many open files',
  51: 'no space left on the disk',
  69: 'the file system is read-only',
};

/**
 * @param error an error, or what PGlite throws when an operation on a file fails: an object with only an error number
 */
function toReason(error: unknown): string {
  const { errno, message } = error as { errno?: number; message?: string };
  return message ?? FILE_ERRORS[errno ?? 0] ?? `error ${errno ?? String(error)} of the file system`;
}

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir, totalmem, userInfo } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { runOnExit } from './run-on-exit.js';

/** Finds the programs of the newest PostgreSQL server that a Debian package has installed. */
function findPrograms(): string {
  const programs = readdirSync('/usr/lib/postgresql')
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join('/usr/lib/postgresql', version, 'bin'))
    .find((directory) => existsSync(join(directory, 'initdb')));
  if (programs === undefined) throw new Error('No PostgreSQL server is installed in /usr/lib/postgresql.');
  return programs;
}

/** Returns the user of the Debian package if this user is root, as whom PostgreSQL refuses to run. */
function findUser(): { uid?: number; gid?: number } {
  return userInfo().uid === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {};
}

function idOf(which: string): number {
  return Number(execFileSync('id', [which, 'postgres'], { encoding: 'utf8' }));
}

/** How long a server that exits while it starts is started again, in milliseconds. */
const START_TIMEOUT = 120_000;

/** How long a program that creates or removes a server may take, in milliseconds. */
const PROGRAM_TIMEOUT = 120_000;

/** Stops the server of the directory `$1`, then unmounts and deletes the directory. */
const REMOVE = `
  pid=$(head -n 1 "$1/data/postmaster.pid") && kill -s QUIT "$pid"
  for _ in $(seq 100); do kill -0 "$pid" || break; sleep 0.1; done
  kill -s KILL "$pid"
  umount --lazy "$1"
  rm -rf "$1"`;

/**
 * A PostgreSQL server with its own data directory and port, which tests can stop, kill and run out of disk space.
 * It ends with the process that created it, even if that is killed.
 */
export class PostgresqlServer {
  private readonly programs = findPrograms();
  private readonly user = findUser();
  private process?: ChildProcess;

  private constructor(
    /** Contains the Unix socket of the server. */
    readonly directory: string,
    readonly port: number,
    /** Whether its data directory is on a small disk that a test can fill. */
    readonly hasOwnDisk: boolean,
    private readonly settings: Record<string, string>,
    private readonly cancelRemoval: () => void,
  ) {}

  /**
   * Creates and starts a server.
   *
   * @param size `small`: on a small disk of its own if this user may mount one, and without `fsync`;
   *   `full`: for measurements, with a quarter of the memory as shared buffers, as PostgreSQL's manual recommends
   */
  static async create(size: 'small' | 'full' = 'small'): Promise<PostgresqlServer> {
    const directory = mkdtempSync(join(tmpdir(), 'phones-postgresql-'));
    const cancelRemoval = runOnExit(REMOVE, directory);
    const hasOwnDisk = size === 'small' && mount(directory);
    const settings = size === 'small' ? SMALL : FULL;
    const server = new PostgresqlServer(directory, await freePort(), hasOwnDisk, settings, cancelRemoval);
    const { uid, gid } = server.user;
    if (uid !== undefined && gid !== undefined) chownSync(directory, uid, gid);
    execFileSync(
      server.program('initdb'),
      ['-D', server.data, '-U', 'postgres', '-A', 'trust', '--no-sync'],
      {
        ...server.user,
        cwd: directory,
        timeout: PROGRAM_TIMEOUT,
        killSignal: 'SIGKILL',
      },
    );
    await server.start();
    return server;
  }

  get url(): URL {
    return new URL(`postgres://postgres@127.0.0.1:${this.port}/postgres`);
  }

  /**
   * Starts the server and waits until it accepts connections.
   *
   * @throws Error if it keeps exiting
   */
  async start(): Promise<void> {
    const end = performance.now() + START_TIMEOUT;
    while (performance.now() < end) {
      const started = spawn(
        this.program('postgres'),
        [
          ...['-D', this.data, '-p', String(this.port), '-k', this.directory],
          ...Object.entries(this.settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
        ],
        { ...this.user, cwd: this.directory, stdio: 'ignore' },
      );
      this.process = started;
      // For the time in which its directory does not name it yet.
      started.once('exit', runOnExit('kill -s QUIT "$1"', String(started.pid)));
      while (started.exitCode === null && started.signalCode === null) {
        if (await this.isReady()) return;
      }
      // The processes of a server that was killed may still hold its data directory.
    }
    throw new Error('The PostgreSQL server does not start.');
  }

  private async isReady(): Promise<boolean> {
    return this.query('SELECT').then(
      () => true,
      () => false,
    );
  }

  /** Waits until the server has recovered by itself. */
  async recovered(): Promise<void> {
    while (!(await this.isReady()));
  }

  /** Stops the server: `SIGINT` is a fast shutdown, `SIGQUIT` an immediate one, `SIGKILL` a crash. */
  async stop(signal: 'SIGINT' | 'SIGQUIT' | 'SIGKILL'): Promise<void> {
    const running = this.process;
    if (running?.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, 'exit');
    running.kill(signal);
    await ended;
  }

  /** Opens a connection that the caller must close. */
  async connect(database = 'postgres'): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: Object.assign(this.url, { pathname: database }).href });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  async query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]> {
    const client = await this.connect();
    return (await client.query<Row>(sql, values).finally(() => client.end())).rows;
  }

  /** Makes the server read its configuration files again, and waits until it has done so. */
  async reload(): Promise<void> {
    const loadTime = async () => JSON.stringify(await this.query('SELECT pg_conf_load_time()'));
    const before = await loadTime();
    await this.query('SELECT pg_reload_conf()');
    while ((await loadTime()) === before);
  }

  /**
   * Makes the server accept TLS connections, with a certificate for 127.0.0.1 that is also one of the user postgres.
   *
   * @returns the paths of the certificate, which has signed itself, and of its key
   */
  async enableTls(): Promise<{ certificate: string; key: string }> {
    const certificate = join(this.directory, 'certificate.pem');
    const key = join(this.directory, 'key.pem');
    const subject = ['-subj', '/CN=postgres', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key];
    execFileSync('openssl', ['req', '-x509', ...newKey, '-out', certificate, ...subject], {
      ...this.user,
      stdio: 'ignore',
    });
    const settings = { ssl_cert_file: certificate, ssl_ca_file: certificate, ssl_key_file: key, ssl: 'on' };
    for (const [name, value] of Object.entries(settings)) {
      await this.query(`ALTER SYSTEM SET ${name} = '${value}'`);
    }
    await this.reload();
    return { certificate, key };
  }

  /** Fills the disk to the last byte. */
  fillDisk(): void {
    try {
      for (let size = 2 ** 20; size >= 1; size /= 2) {
        const block = Buffer.alloc(size);
        try {
          for (;;) writeFileSync(join(this.directory, 'filler'), block, { flag: 'a' });
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        }
      }
    } catch (error) {
      this.freeDisk();
      throw error;
    }
  }

  freeDisk(): void {
    rmSync(join(this.directory, 'filler'), { force: true });
  }

  async remove(): Promise<void> {
    await this.stop('SIGQUIT');
    if (this.hasOwnDisk) execFileSync('umount', ['--lazy', this.directory]);
    rmSync(this.directory, { recursive: true, force: true });
    this.cancelRemoval();
  }

  private get data(): string {
    return join(this.directory, 'data');
  }

  private program(name: string): string {
    return join(this.programs, name);
  }
}

/** `fsync` is off because tests only kill processes, and the writes of a killed process are not lost. */
const SMALL = {
  listen_addresses: '127.0.0.1',
  max_connections: '20',
  fsync: 'off',
  max_wal_size: '48MB',
  min_wal_size: '32MB',
};

const FULL = {
  listen_addresses: '127.0.0.1',
  shared_buffers: `${Math.floor(totalmem() / 4 / 2 ** 20)}MB`,
};

/** Mounts a disk in memory. @returns whether this user may do so */
function mount(directory: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=160m', 'tmpfs', directory], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { chmod, link, rename, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { DirectoryLock } from '../src/database/embedded/directory-lock.js';
import { removeFormerLockFile } from '../src/database/embedded/former-lock-file.js';
import { newDataDirectory, SERVER } from './support/database.js';
import { createInstallation } from './support/installation.js';
import { runOnExit } from './support/run-on-exit.js';
import { send, Service } from './support/service.js';
import { newTemporaryDirectory } from './support/temporary-directory.js';

const isRoot = userInfo().uid === 0;

/**
 * An arbitrary user of group 0, as whom OpenShift runs a container. It may read everything, wherever this repository
 * is.
 */
const AS_ARBITRARY_USER = [
  ...['sh', '-c', 'umask 022; exec "$@"', 'sh'],
  ...['setpriv', '--reuid', '12345', '--regid', '0', '--clear-groups'],
  ...['--inh-caps', '+dac_read_search', '--ambient-caps', '+dac_read_search'],
];

/** Returns the paths in the directory, and its own, that the group or others may access. */
function findPublic(directory: string): string[] {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  const paths = [directory, ...names.map((name) => join(directory, name))];
  return paths.filter((path) => (lstatSync(path).mode & 0o077) !== 0);
}

/** Returns the number of TCP ports on which the process listens. */
function countPorts(pid = 0): number {
  const descriptors = readdirSync(`/proc/${pid}/fd`).map((name) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${name}`);
    } catch {
      return '';
    }
  });
  const sockets = [`/proc/${pid}/net/tcp`, `/proc/${pid}/net/tcp6`].flatMap((table) =>
    readFileSync(table, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/)),
  );
  const LISTEN = '0A';
  return sockets.filter(([, , , state, , , , , , inode]) => {
    return state === LISTEN && descriptors.includes(`socket:[${inode}]`);
  }).length;
}

describe.skipIf(SERVER !== undefined)('The directory of the embedded database', () => {
  it('is made private with all its files, and contains the socket of the engine, which uses no port', async () => {
    const DATA_DIR = await newDataDirectory();
    execFileSync('chmod', ['-R', 'go+rwX', DATA_DIR]);
    const service = new Service({ DATA_DIR });
    const api = await service.listening();
    expect((await send('POST', `${api}/organizations`, { name: 'Harbor' })).status).toBe(201);
    expect(findPublic(DATA_DIR)).toEqual([]);

    const socket = connect(join(DATA_DIR, '.s.PGSQL.5432'));
    await once(socket, 'connect');
    socket.destroy();
    const HTTP_ONLY = 1;
    expect(countPorts(service.pid)).toBe(HTTP_ONLY);
  });

  it(
    'may belong to another user, with a database that is private nevertheless',
    { skip: !isRoot },
    async () => {
      const DATA_DIR = newTemporaryDirectory();
      await chmod(DATA_DIR, 0o770);
      const installation = createInstallation();
      await chmod(installation, 0o755);
      const service = new Service({ DATA_DIR }, undefined, installation, AS_ARBITRARY_USER);
      const api = await service.listening();
      expect((await send('POST', `${api}/organizations`, { name: 'Harbor' })).status).toBe(201);
      expect(findPublic(DATA_DIR)).toEqual([DATA_DIR]);
      expect((await service.end('SIGTERM')).code).toBe(0);
    },
  );

  it('is used by one of several services that start at once, until that one ends', async () => {
    const DATA_DIR = await newDataDirectory();
    const inUse = `DATA_DIR is in use by another process: ${DATA_DIR}`;
    const services = [1, 2, 3].map(() => new Service({ DATA_DIR }));
    const results = services.map((service) =>
      service.listening().then(
        (api) => ({ service, api }),
        (error: unknown) => (error as Error).message,
      ),
    );
    const outcomes = await Promise.all(results);
    const holders = outcomes.filter((outcome) => typeof outcome !== 'string');
    expect(outcomes.filter((outcome) => typeof outcome === 'string')).toEqual([inUse, inUse]);
    const [holder] = holders;
    if (holder === undefined) throw new Error('No service has started.');
    expect((await send('POST', `${holder.api}/organizations`, { name: 'Harbor' })).status).toBe(201);

    holder.service.signalGroup('SIGSTOP');
    expect(await new Service({ DATA_DIR }).end()).toEqual({ code: 1, signal: null, output: [inUse] });

    await holder.service.end('SIGKILL');
    const api = await new Service({ DATA_DIR }).listening();
    expect((await send('GET', `${api}/organizations`)).body).toMatchObject([{ name: 'Harbor' }]);
  });

  it('must not have a path that is too long for its socket', async () => {
    const directory = newTemporaryDirectory();
    const longest = join(directory, 'ü').padEnd(85, 'x');
    const refused = await new Service({ DATA_DIR: `${longest}x` }).end();
    expect(refused).toEqual({
      code: 1,
      signal: null,
      output: [`DATA_DIR ${longest}x is too long for the Unix socket in it: at most 86 bytes are possible.`],
    });
    expect(readdirSync(directory)).toEqual([]);
    await rename(await newDataDirectory(), longest);
    await new Service({ DATA_DIR: longest }).listening();
  });

  it('is on a disk with too little space, which the service reports in one line', async ({ skip }) => {
    const DATA_DIR = newTemporaryDirectory();
    runOnExit('umount --lazy "$1"', DATA_DIR);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', DATA_DIR], { stdio: 'ignore' });
    } catch {
      skip('needs permission to mount a disk');
    }
    expect(await new Service({ DATA_DIR }).end()).toEqual({
      code: 1,
      signal: null,
      output: [`DATA_DIR ${DATA_DIR} cannot hold a new database: no space left on the disk.`],
    });
    // Nothing is left that fills the disk.
    expect(readdirSync(DATA_DIR)).not.toContain('postgresql.unfinished');
    execFileSync('umount', ['--lazy', DATA_DIR]);
  });
});

describe.skipIf(SERVER !== undefined)('The lock of a directory', () => {
  /** Creates the lock of a process that was killed. */
  async function leaveKilledLock(directory: string, number: number): Promise<void> {
    const server = createServer().listen(join(directory, 'killed'));
    await once(server, 'listening');
    await link(join(directory, 'killed'), join(directory, `lock.${number}`));
    server.close();
    await once(server, 'close');
  }

  it('is never held twice, whatever happens at the same time', async () => {
    const directory = newTemporaryDirectory();
    let holders = 0;
    let acquisitions = 0;
    const compete = async () => {
      while (acquisitions < 300) {
        const lock = await DirectoryLock.acquire(directory).catch((error: unknown) => {
          expect((error as Error).message).toBe(`DATA_DIR is in use by another process: ${directory}`);
        });
        if (lock === undefined) continue;
        acquisitions++;
        holders++;
        expect(holders).toBe(1);
        await setImmediate();
        holders--;
        if (acquisitions % 3 === 0) await leaveKilledLock(directory, acquisitions * 10);
        await lock.release();
      }
    };
    await Promise.all([compete(), compete(), compete(), compete()]);
  });

  it.each(['nonsense', '', '0 token 1'])('replaces a former lock file that contains %j', async (content) => {
    const directory = newTemporaryDirectory();
    await writeFile(join(directory, 'lock'), content);
    await removeFormerLockFile(directory);
    expect(readdirSync(directory)).toEqual([]);
  });

  const TOKEN = '1b4e28ba-2fa1-11d2-883f-0016d3cca427';
  it.each<[string, number, boolean, (socket: Socket) => void]>([
    ['a program that sends nothing', 2 ** 22 + 1, false, () => undefined],
    [
      'a program that sends without end',
      process.pid,
      false,
      (socket) => void Readable.from(endlessResponse()).pipe(socket),
    ],
    ['the earlier version', process.pid, true, (socket) => socket.end(TOKEN)],
  ])('with the former lock file, whose port belongs to %s', async (_, id, isHeld, respond) => {
    const program = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      respond(socket);
    }).listen(0, '127.0.0.1');
    await once(program, 'listening');
    const directory = newTemporaryDirectory();
    const file = join(directory, 'lock');
    await writeFile(file, `${(program.address() as AddressInfo).port} ${TOKEN} ${id}`);
    const removed = removeFormerLockFile(directory);
    if (isHeld) {
      await expect(removed).rejects.toThrow(
        `DATA_DIR is in use by an earlier version of the service: ${file}`,
      );
    } else {
      await removed;
    }
    expect(readdirSync(directory)).toEqual(isHeld ? ['lock'] : []);
    program.close();
  });
});

function* endlessResponse(): Generator<string> {
  for (;;) yield 'HTTP/1.1 200 OK\r\n';
}

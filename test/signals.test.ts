import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { databaseSettings } from './support/database.js';
import { createInstallation } from './support/installation.js';
import { runOnExit } from './support/run-on-exit.js';
import { send, Service } from './support/service.js';

const SIGTERM = 15;

/** Settings with which the service waits for a server for 30 seconds. */
const UNREACHABLE = { DATABASE_URL: 'postgres://postgres@127.0.0.1:1/phones' };

/** Returns the process IDs of the children of a process. */
function childrenOf(pid = 0): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('npm start', () => {
  /** Starts the service as `npm start` does, without building it first, as other tests use the build. */
  function npmStart(): Service {
    const npm = ['sh', '-c', 'exec npm start --ignore-scripts --prefix "$0"', createInstallation()];
    return new Service(databaseSettings(), undefined, undefined, npm);
  }

  it('ends its service on SIGTERM', async () => {
    const service = npmStart();
    const api = await service.listening();
    // The output ends when the last process that writes to it has ended.
    expect((await service.end('SIGTERM')).code).toBe(0);
    await expect(fetch(api)).rejects.toThrow();
  });

  it('completes the requests in progress on Ctrl+C', async () => {
    const service = npmStart();
    const api = new URL(await service.listening());
    const body = JSON.stringify({ name: 'Last Call' });
    const socket = connect(Number(api.port), api.hostname);
    socket.write(
      `POST /v1/organizations HTTP/1.1\r\nHost: ${api.host}\r\nContent-Type: application/json\r\n`,
    );
    socket.write(`Content-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`);
    await send('GET', new URL('/health/live', api).href);
    service.signalGroup('SIGINT');
    // npm passes the signal on, so that the service gets it twice.
    await setTimeout(500);
    socket.write(body.slice(5));
    expect(await text(socket)).toMatch(/^HTTP\/1.1 201 /);
    expect((await service.end()).code).toBe(0);
  });
});

describe.skipIf(process.platform !== 'linux' || userInfo().uid !== 0)(
  'As process 1, which needs permission to create a process namespace, the service',
  () => {
    const start = (settings: Record<string, string | undefined>) =>
      new Service(settings, undefined, undefined, ['unshare', '--pid', '--fork', '--kill-child']);

    /** Waits until `unshare` has started the service. */
    async function processIdOf(service: Service): Promise<number> {
      for (;;) {
        const [pid] = childrenOf(service.pid);
        if (pid !== undefined) return pid;
        await setTimeout(10);
      }
    }

    it('ends on SIGTERM while its modules are loaded', async () => {
      const service = start(databaseSettings());
      const pid = await processIdOf(service);
      const ended = service.end();
      // Until Node.js runs the first line of the service, the system ignores the signal.
      const timer = setInterval(() => isRunning(pid) && process.kill(pid, 'SIGTERM'), 20);
      const { code, signal, output } = await ended;
      clearInterval(timer);
      // The system does not ignore it either while Node.js creates its threads.
      expect(signal === 'SIGTERM' ? 128 + SIGTERM : code).toBe(128 + SIGTERM);
      expect(output).toEqual(['']);
    });

    it('ends on SIGTERM while it waits for the database', async () => {
      const service = start(UNREACHABLE);
      await service.printed('Waiting for the database');
      process.kill(await processIdOf(service), 'SIGTERM');
      const { code, output } = await service.end();
      expect(code).toBe(128 + SIGTERM);
      expect(output).toHaveLength(1);
    });

    it('shuts down gracefully on SIGTERM once it listens', async () => {
      const service = start(databaseSettings());
      await service.listening();
      process.kill(await processIdOf(service), 'SIGTERM');
      expect((await service.end()).code).toBe(0);
    });
  },
);

describe('SIGHUP', () => {
  it('does not end a service that nohup has started', async () => {
    const service = new Service(databaseSettings(), undefined, undefined, ['nohup']);
    const api = await service.listening();
    service.signalGroup('SIGHUP');
    expect((await fetch(`${api}/organizations`)).status).toBe(200);
    service.signalGroup('SIGHUP');
    expect((await service.end('SIGTERM')).code).toBe(0);
  });

  it(
    'shuts down a service that was started in a terminal',
    { skip: !existsSync('/usr/bin/script') },
    async () => {
      const terminal = ['sh', '-c', 'exec script --quiet --return --command "exec $1 $2" /dev/null', 'sh'];
      const service = new Service(databaseSettings(), undefined, undefined, terminal);
      await service.listening();
      const [pid = 0] = childrenOf(service.pid);
      // It has left the process group of the test, because a terminal has its own.
      const cancelKill = runOnExit('kill -s KILL "$1"', String(pid));
      onTestFinished(() => {
        if (isRunning(pid)) process.kill(pid, 'SIGKILL');
        cancelKill();
      });
      process.kill(pid, 'SIGHUP');
      expect((await service.end()).code).toBe(0);
    },
  );
});

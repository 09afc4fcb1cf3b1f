import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createInstallation } from '../../test/support/installation.js';
import type { ProcessFigures } from './probe.js';

/** The process of the built service, with the probe loaded. */
export class ServiceProcess {
  private readonly exited = new AbortController();

  private constructor(
    private readonly child: ChildProcess,
    /** The origin that it listens on, such as `http://127.0.0.1:41235`. */
    readonly origin: string,
  ) {
    child.once('exit', () => {
      this.exited.abort();
    });
  }

  /** @throws Error if the process exits before it listens; its own output says why */
  static async start(settings: Record<string, string>): Promise<ServiceProcess> {
    const child = fork(join(createInstallation(), 'dist/src/main.js'), {
      execArgv: ['--expose-gc', '--import', new URL('probe.js', import.meta.url).href],
      env: { PATH: process.env.PATH, PORT: '0', ...settings },
      cwd: tmpdir(),
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    const output = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    const origin = await new Promise<string>((resolve, reject) => {
      output.on('line', (line) => {
        const address = /Phones API at (http:\S+)\/v1"/.exec(line)?.[1];
        if (address !== undefined) resolve(address);
        else if (!/Swagger UI at|The service has stopped/.test(line)) console.error(line);
      });
      child.once('exit', () => {
        reject(new Error('The service did not start.'));
      });
    });
    return new ServiceProcess(child, origin);
  }

  /** @throws Error if the process exits instead of replying */
  async figures(): Promise<ProcessFigures> {
    this.child.send('figures');
    const message = await once(this.child, 'message', { signal: this.exited.signal });
    return message[0] as ProcessFigures;
  }

  /** Returns the number of open files and sockets; undefined if the system has no `/proc`. */
  async openFiles(): Promise<number | undefined> {
    return readdir(`/proc/${this.child.pid}/fd`).then(
      ({ length }) => length,
      () => undefined,
    );
  }

  async stop(): Promise<void> {
    if (this.exited.signal.aborted) return;
    this.child.kill('SIGTERM');
    await once(this.child, 'exit');
  }
}

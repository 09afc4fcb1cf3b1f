import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { InsideFigures } from './probe.js';

/** The built service in a process of its own, with the probe in it. */
export class Service {
  private readonly ended = new AbortController();

  private constructor(
    private readonly child: ChildProcess,
    /** Where it listens, such as `http://127.0.0.1:41235`. */
    readonly origin: string,
  ) {
    child.once('exit', () => {
      this.ended.abort();
    });
  }

  /** @throws Error when it ends before it listens; it has then said why */
  static async start(settings: Record<string, string>): Promise<Service> {
    const child = fork(resolve('dist/src/main.js'), {
      execArgv: ['--expose-gc', '--import', new URL('probe.js', import.meta.url).href],
      env: { PATH: process.env.PATH, PORT: '0', ...settings },
      // Not here, where a developer may have a `.env`.
      cwd: tmpdir(),
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    const output = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    const origin = await new Promise<string>((listening, failed) => {
      output.on('line', (line) => {
        const address = /Phones API at (http:\S+)\/v1"/.exec(line)?.[1];
        if (address !== undefined) listening(address);
        else if (!line.includes('Swagger UI at')) console.error(line);
      });
      child.once('exit', () => {
        failed(new Error('The service did not start.'));
      });
    });
    return new Service(child, origin);
  }

  /** @throws Error when it ends instead */
  async figures(): Promise<InsideFigures> {
    this.child.send('figures');
    const message = await once(this.child, 'message', { signal: this.ended.signal });
    return message[0] as InsideFigures;
  }

  /** How many files and sockets it has open; undefined where the system does not tell. */
  async openFiles(): Promise<number | undefined> {
    return readdir(`/proc/${this.child.pid}/fd`).then(
      ({ length }) => length,
      () => undefined,
    );
  }

  async end(): Promise<void> {
    if (this.ended.signal.aborted) return;
    this.child.kill('SIGTERM');
    await once(this.child, 'exit');
  }
}

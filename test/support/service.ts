import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach } from 'vitest';
import type { ApiResponse } from './api.js';
import { requireBuild } from './build.js';
import { ADMIN_API_KEY, databaseSettings } from './database.js';
import { createInstallation } from './installation.js';
import { runOnExit } from './run-on-exit.js';

requireBuild();

/** A copy of the build without the `.env` file of the developer. */
const installation = createInstallation();

export interface Result {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The lines that the process has printed. */
  output: string[];
}

/**
 * A process of the built service, with the default settings except for those given, and without a `.env` file.
 * It ends with the test that started it, even if that is interrupted, and so do the processes that it has started.
 */
export class Service {
  private static readonly running = new Set<Service>();
  private readonly process: ChildProcess;
  private readonly ended: Promise<Result>;
  private output = '';

  /** @param wrapper a program, with arguments, that starts the service, such as `nohup` */
  constructor(
    settings: Record<string, string | undefined> = databaseSettings(),
    command = 'main.js',
    directory = installation,
    wrapper: string[] = [],
  ) {
    const { PATH } = process.env;
    const [script = '', ...args] = command.split(' ');
    const [program = '', ...rest] = [
      ...wrapper,
      process.execPath,
      join(directory, 'dist/src', script),
      ...args,
    ];
    this.process = spawn(program, rest, {
      env: { PATH, PORT: '0', ADMIN_API_KEY, ...settings },
      cwd: tmpdir(),
      stdio: ['ignore', 'pipe', 'pipe'],
      // In a process group of its own, so that a signal can be sent to all processes that it has started.
      detached: true,
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
    Service.running.add(this);
    const cancelKill = runOnExit('kill -s KILL -- "-$1"', String(this.process.pid));
    this.ended = once(this.process, 'close').then(() => {
      Service.running.delete(this);
      cancelKill();
      const { exitCode: code, signalCode: signal } = this.process;
      return { code, signal, output: this.output.trim().split('\n') };
    });
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /** Waits until the service listens. @returns the URL of its API */
  async listening(): Promise<string> {
    for (;;) {
      const [, address] = /Phones API at (http:\S+?)"/.exec(this.output) ?? [];
      if (address !== undefined && this.output.includes('Swagger UI at')) return address;
      await this.moreOutput();
    }
  }

  /** Waits until the process has printed this text. */
  async printed(text: string): Promise<void> {
    while (!this.output.includes(text)) await this.moreOutput();
  }

  /** Waits for more output. @throws Error with all output if the process exits instead */
  private async moreOutput(): Promise<void> {
    await Promise.race([
      once(this.process.stdout ?? this.process, 'data'),
      this.ended.then(({ output }) => Promise.reject(new Error(output.join('\n')))),
    ]);
  }

  /** Sends a signal, if one is given, and waits until the process exits. */
  async end(signal?: NodeJS.Signals): Promise<Result> {
    if (signal !== undefined) this.process.kill(signal);
    return this.ended;
  }

  /** Sends a signal to the process and to all processes that it has started, as Ctrl+C does. */
  signalGroup(signal: NodeJS.Signals): void {
    if (this.pid !== undefined) process.kill(-this.pid, signal);
  }

  static async endAll(): Promise<void> {
    const services = [...Service.running];
    for (const service of services) {
      try {
        service.signalGroup('SIGKILL');
      } catch {
        // All its processes have ended.
      }
      // A process that has left the group may still hold the other end.
      service.process.stdout?.destroy();
      service.process.stderr?.destroy();
    }
    await Promise.all(services.map((service) => service.ended));
  }
}

afterEach(() => Service.endAll());
// A service that a failed hook has started is not ended by afterEach.
afterAll(() => Service.endAll());

/** Sends a request to a service in another process, with a body as JSON. */
export async function send<Body>(
  method: string,
  url: string,
  body?: unknown,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<ApiResponse<Body>> {
  const response = await fetch(url, {
    method,
    signal,
    headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: (text === '' ? undefined : JSON.parse(text)) as Body,
  };
}

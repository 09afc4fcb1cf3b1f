import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { resolve as resolvePath } from 'node:path';
import { createInterface } from 'node:readline';
import { createInstallation } from '../../test/support/installation.js';
import type { SampleData } from './operations.js';

/** The unit of processor time in `/proc` is a tick of 10 ms (`man 5 proc`). */
const TICKS_PER_SECOND = 100;

/** Without the `.env` file of the developer. */
const installation = createInstallation();

/** One of the servers that are measured. */
export interface Target {
  name: string;
  process: TargetProcess;
  data: SampleData;
}

/** The process of a target. */
export class TargetProcess {
  private constructor(
    private readonly child: ChildProcess,
    /** The origin that it listens on, such as `http://127.0.0.1:41235`. */
    readonly origin: string,
  ) {}

  /**
   * Starts a script and waits until it prints the origin that it listens on.
   *
   * @param script an absolute path, or one in the repository
   * @throws Error if the process exits first; its own output says why
   */
  static async start(script: string, settings: Record<string, string>): Promise<TargetProcess> {
    const child = spawn(process.execPath, [resolvePath(installation, script)], {
      cwd: tmpdir(),
      env: { PATH: process.env.PATH, NODE_ENV: 'production', PORT: '0', ...settings },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const output = createInterface({ input: child.stdout });
    const origin = await new Promise<string>((resolve, reject) => {
      output.on('line', (line) => {
        const address = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0];
        if (address !== undefined) resolve(address);
      });
      child.once('exit', () => {
        reject(new Error(`${script} did not start.`));
      });
    });
    return new TargetProcess(child, origin);
  }

  /** Returns the processor time used so far, in seconds. */
  async processorTime(): Promise<number> {
    const stat = await readFile(`/proc/${this.child.pid}/stat`, 'utf8');
    // The process name in parentheses may contain spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }

  /** Returns the resident memory, in MiB. */
  async memory(): Promise<number> {
    const status = await readFile(`/proc/${this.child.pid}/status`, 'utf8');
    return Number(/VmRSS:\s*(\d+) kB/.exec(status)?.[1]) / 1024;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGTERM');
    await once(this.child, 'exit');
  }
}

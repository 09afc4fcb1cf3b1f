import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

/** Processor time is told in ticks of 10 ms (`man 5 proc`). */
const TICKS_PER_SECOND = 100;

/** One of the programs that are compared, in a process of its own. */
export class Target {
  private constructor(
    private readonly child: ChildProcess,
    /** Where it listens, such as `http://127.0.0.1:41235`. */
    readonly origin: string,
  ) {}

  /**
   * Starts a program that prints the address at which it listens.
   *
   * @throws Error when it ends before; it has then said why
   */
  static async start(script: string, settings: Record<string, string>): Promise<Target> {
    const child = spawn(process.execPath, [resolve(script)], {
      // Where there is no `.env` of a developer.
      cwd: tmpdir(),
      env: { PATH: process.env.PATH, NODE_ENV: 'production', PORT: '0', ...settings },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const output = createInterface({ input: child.stdout });
    const origin = await new Promise<string>((listening, failed) => {
      output.on('line', (line) => {
        const address = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0];
        if (address !== undefined) listening(address);
      });
      child.once('exit', () => {
        failed(new Error(`${script} did not start.`));
      });
    });
    return new Target(child, origin);
  }

  /** The processor time that it has taken, in seconds. */
  async processorTime(): Promise<number> {
    const stat = await readFile(`/proc/${this.child.pid}/stat`, 'utf8');
    // The name of the program, in parentheses, may have spaces in it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }

  /** Its resident memory, in MiB. */
  async memory(): Promise<number> {
    const status = await readFile(`/proc/${this.child.pid}/status`, 'utf8');
    return Number(/VmRSS:\s*(\d+) kB/.exec(status)?.[1]) / 1024;
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGTERM');
    await once(this.child, 'exit');
  }
}

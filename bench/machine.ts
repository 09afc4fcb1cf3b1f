import { arch, cpus, platform, release, totalmem } from 'node:os';

/** Returns a sentence about the machine that the benchmark runs on. */
export function describeMachine(): string {
  const memory = `${(totalmem() / 2 ** 30).toFixed(0)} GiB of memory`;
  return `Node.js ${process.version} on ${platform()} ${release()} ${arch()}, ${cpus().length} × ${cpus()[0]?.model.trim()}, ${memory}.`;
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { onServer, SERVER } from './support/database.js';
import { newTemporaryDirectory } from './support/temporary-directory.js';

/** Waits until the condition is met. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await setTimeout(100);
}

function hasProcesses(group: number): boolean {
  try {
    return process.kill(-group, 0);
  } catch {
    return false;
  }
}

describe('What tests start ends with them', () => {
  const groups: number[] = [];
  afterEach(() => {
    for (const group of groups.filter(hasProcesses)) process.kill(-group, 'SIGKILL');
  });

  async function run(SCENARIO: string) {
    const report = join(newTemporaryDirectory(), 'report');
    await writeFile(report, '');
    const { PATH, TEST_DATABASE_URL } = process.env;
    const vitest = spawn(
      process.execPath,
      ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/support/interrupted/vitest.config.ts'],
      {
        env: {
          PATH,
          TEST_DATABASE_URL,
          EMBEDDED_TEMPLATE: inject('embeddedTemplate'),
          SCENARIO,
          REPORT: report,
        },
        stdio: 'ignore',
        detached: true,
      },
    );
    groups.push(Number(vitest.pid));
    /** Returns what the tests have started, by its kind. */
    const started = async (kind: string): Promise<string[]> => {
      const lines = (await readFile(report, 'utf8')).split('\n').map((line) => line.split(' '));
      const values = lines.filter(([first]) => first === kind).map(([, value = '']) => value);
      if (kind === 'group') groups.push(...values.map(Number));
      return values;
    };
    return { vitest, started };
  }

  it('when the process that runs them is killed', async () => {
    const { vitest, started } = await run('killed');
    await until(async () => (await started('ready')).length > 0);
    vitest.kill('SIGKILL');

    for (const group of await started('group')) await until(() => !hasProcesses(Number(group)));
    if (SERVER === undefined) {
      for (const directory of await started('directory')) await until(() => !existsSync(directory));
    } else {
      // Creating a database of the same name succeeds once it is dropped.
      const [name = ''] = await started('database');
      await until(() =>
        onServer(`CREATE DATABASE ${name}`).then(
          () => true,
          () => false,
        ),
      );
      await onServer(`DROP DATABASE ${name}`);
    }
  });

  it('when one of them runs out of time and continues in the background', async () => {
    const { vitest, started } = await run('timeout');
    expect(await once(vitest, 'exit')).toEqual([1, null]);
    const services = await started('group');
    expect(services.length).toBeGreaterThan(0);
    for (const group of services) await until(() => !hasProcesses(Number(group)));
  });
});

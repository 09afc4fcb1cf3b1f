import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { newDataDirectory } from './support/database.js';
import { Service } from './support/service.js';

const { version, engines } = JSON.parse(await readFile('package.json', 'utf8')) as {
  version: string;
  engines: { node: string };
};

describe.each(['main.js', 'seed/seed.js'])('%s', (script) => {
  it('prints its usage or its version without using the database or the settings', async () => {
    const DATA_DIR = join(await newDataDirectory(), 'unused');
    const settings = { DATA_DIR, LOG_LEVEL: 'loud' };
    const [usage, number] = await Promise.all(
      ['--help', '--version'].map((option) => new Service(settings, `${script} ${option}`).end()),
    );
    expect(usage).toMatchObject({ code: 0 });
    expect(usage?.output[0]).toBe(`Usage: node dist/src/${script}`);
    expect(number).toMatchObject({ code: 0, output: [version] });
    expect(existsSync(DATA_DIR)).toBe(false);
  });

  it.each([
    ['an unknown option', '--prot=3000', "Unknown option '--prot'; see --help."],
    ['an argument', 'serve', /^Unexpected argument 'serve'.*; see --help\.$/],
  ])('rejects %s, which it names in one line', async (_, argument, line) => {
    const { code, output } = await new Service({ LOG_LEVEL: 'loud' }, `${script} ${argument}`).end();
    expect(output).toEqual([expect.stringMatching(line)]);
    expect(code).toBe(1);
  });

  it('says in one line which Node.js it requires, before it imports anything else', async () => {
    const [, major, minor] = /^>=(\d+)\.(\d+)$/.exec(engines.node) ?? [];
    const older = `${major}.${Number(minor) - 1}.0`;
    const preload = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${older}' } })`;
    const failure: unknown = await promisify(execFile)(process.execPath, [
      '--import',
      `data:text/javascript,${preload}`,
      join('dist/src', script),
    ]).catch((error: unknown) => error);
    const line = `Node.js ${major}.${minor} or newer is required; this is ${older}.\n`;
    expect(failure).toMatchObject({ code: 1, stdout: '', stderr: line });

    const compiled = await readFile(join('dist/src', script), 'utf8');
    expect(compiled.match(/^import .*$/gm)).toEqual([expect.stringMatching(/\/check-node-version\.js';$/)]);
  });
});

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';
import { newTemporaryDirectory } from './temporary-directory.js';

const MIGRATIONS = 'src/database/migrations/index.ts';

function git(...args: string[]): Buffer {
  return execFileSync('git', args, { stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 2 ** 28 });
}

/** @returns the commits before the last changes of the migrations, newest first; none without a git history */
export function commitsBeforeMigrations(count: number): string[] {
  try {
    const changes = git('log', `-${count}`, '--format=%H', '--', MIGRATIONS).toString().trim().split('\n');
    return changes.map((commit) => git('rev-parse', '--verify', `${commit}^`).toString().trim());
  } catch {
    return [];
  }
}

/** Compiles former commits, which use the installed packages. @returns the paths of their directories */
export function buildCommits(commits: string[]): string[] {
  const directory = newTemporaryDirectory();
  symlinkSync(resolve('node_modules'), join(directory, 'node_modules'));
  return commits.map((commit) => {
    const root = join(directory, commit);
    mkdirSync(root);
    execFileSync('tar', ['-x', '-C', root], {
      input: git('archive', commit, 'src', 'ormconfig.ts', 'package.json', 'tsconfig.json'),
    });
    compile(root);
    replaceMissingPackages(root);
    return root;
  });
}

/** Compiles each file for itself, which takes a fraction of the time of a build with a type check. */
function compile(root: string): void {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (file) => ts.sys.readFile(file)) as {
    config: unknown;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const compilerOptions = { ...options, module: ts.ModuleKind.ESNext, sourceMap: false };
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join('src', file));
  for (const fileName of ['ormconfig.ts', ...sources]) {
    const { outputText } = ts.transpileModule(readFileSync(join(root, fileName), 'utf8'), {
      compilerOptions,
      fileName,
    });
    const output = join(root, 'dist', fileName.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(output), { recursive: true });
    writeFileSync(output, outputText);
  }
}

/** Replaces each package that is no longer installed with a Fastify plugin that does nothing, as such plugins were. */
function replaceMissingPackages(root: string): void {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of Object.keys(dependencies)) {
    if (existsSync(join('node_modules', name))) continue;
    const replacement = join(root, 'node_modules', name);
    mkdirSync(replacement, { recursive: true });
    writeFileSync(join(replacement, 'index.js'), 'module.exports = async () => undefined;\n');
  }
}

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Checks that `dist` is up to date. @throws Error if a compiled file is missing or older than its source */
export function requireBuild(): void {
  const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join('src', file));
  for (const source of ['ormconfig.ts', ...sources]) {
    const compiled = statSync(join('dist', source.replace(/\.ts$/, '.js')), { throwIfNoEntry: false });
    if (compiled === undefined) throw new Error(`Run npm run build first: dist does not contain ${source}.`);
    if (compiled.mtimeMs < statSync(source).mtimeMs) {
      throw new Error(`Run npm run build first: dist is older than ${source}.`);
    }
  }
}

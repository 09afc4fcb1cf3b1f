import { describe, expect, it } from 'vitest';
import { accessPolicy } from '../src/auth/access-policy.js';
import { AdminsOnly, Public, RequireApiKey } from '../src/auth/auth.decorators.js';
import { KEY_MODES } from '../src/config/environment.js';

class Controller {
  handle(): void {
    // The tests apply decorators to this method.
  }
}

/** Returns the modes in which the handler requires a key. */
function modesThatNeedKey(decorate: MethodDecorator | undefined, method: string): string[] {
  const handler = () => undefined;
  decorate?.(Controller, 'handle', { value: handler });
  return KEY_MODES.filter(
    (mode) => accessPolicy({ controller: Controller, method: handler }, method, mode).requiresKey,
  );
}

describe('accessPolicy requires a key', () => {
  it.each([
    ['for GET only in mode "always"', undefined, 'GET', ['always']],
    ['for HEAD only in mode "always"', undefined, 'HEAD', ['always']],
    ['for POST in modes "writes" and "always"', undefined, 'POST', ['writes', 'always']],
    [
      'for PATCH, which no route has yet, in modes "writes" and "always"',
      undefined,
      'PATCH',
      ['writes', 'always'],
    ],
    ['for GET with @AdminsOnly() in modes "writes" and "always"', AdminsOnly(), 'GET', ['writes', 'always']],
    ['for GET with @RequireApiKey() in every mode', RequireApiKey(), 'GET', ['never', 'writes', 'always']],
    ['for POST with @Public() in no mode', Public(), 'POST', []],
  ])('%s', (_, decorate, method, modes) => {
    expect(modesThatNeedKey(decorate as MethodDecorator | undefined, method)).toEqual(modes);
  });
});

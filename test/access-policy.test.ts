import { describe, expect, it } from 'vitest';
import { accessPolicy } from '../src/auth/access-policy.js';
import { AdminsOnly, Public, RequireApiKey } from '../src/auth/auth.decorators.js';
import { KEY_MODES } from '../src/config/environment.js';

class Controller {
  stated(): void {
    // Decorated below.
  }
}

/** When a key is needed for a handler, of the three modes. */
function needs(decorate: MethodDecorator | undefined, method: string): string[] {
  const handler = () => undefined;
  decorate?.(Controller, 'stated', { value: handler });
  return KEY_MODES.filter((mode) => accessPolicy(Controller, handler, method, mode).needsKey);
}

describe('a key is needed', () => {
  it.each([
    ['to read', undefined, 'GET', ['always']],
    ['to read the headers', undefined, 'HEAD', ['always']],
    ['to write', undefined, 'POST', ['writes', 'always']],
    ['for a method that no route has yet', undefined, 'PATCH', ['writes', 'always']],
    ['for what only admins may, also to read it', AdminsOnly(), 'GET', ['writes', 'always']],
    ['in every mode where that is stated', RequireApiKey(), 'GET', ['never', 'writes', 'always']],
    ['never for what is public', Public(), 'POST', []],
  ])('%s', (_, decorate, method, modes) => {
    expect(needs(decorate as MethodDecorator | undefined, method)).toEqual(modes);
  });
});

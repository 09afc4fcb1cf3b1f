import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createApiKey, isApiKey, prefixOf } from '../src/auth/api-key.js';

describe('an API key', () => {
  it('has a prefix that a secret scanner can look for, 256 random bits and a checksum', () => {
    const keys = Array.from({ length: 1000 }, createApiKey);
    for (const key of keys) {
      expect(key).toMatch(/^phones_[\da-f]{72}$/);
      expect(isApiKey(key)).toBe(true);
    }
    expect(new Set(keys.map((key) => key.slice(7, -8))).size).toBe(1000);
  });

  it('is told from another by the part that is shown, which leaves 224 bits secret', () => {
    const key = createApiKey();
    expect(prefixOf(key)).toBe(key.slice(0, 15));
  });

  it('is no key any more with any one character mistyped, left out or doubled', () => {
    fc.assert(
      fc.property(
        fc.nat(78),
        fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 1 }),
        (place, character) => {
          const key = createApiKey();
          const [before, after] = [key.slice(0, place), key.slice(place + 1)];
          if (character !== key[place]) expect(isApiKey(before + character + after)).toBe(false);
          expect(isApiKey(before + after)).toBe(false);
          expect(isApiKey(before + key.slice(place, place + 1).repeat(2) + after)).toBe(false);
        },
      ),
    );
  });

  it('is nothing else', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !isApiKey(text)));
    expect(isApiKey(`${createApiKey()}\n`)).toBe(false);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createApiKey, isApiKey, prefixOf } from '../src/auth/api-key.js';

describe('An API key', () => {
  it('consists of a prefix for secret scanners, 256 random bits and a checksum', () => {
    const keys = Array.from({ length: 1000 }, createApiKey);
    for (const key of keys) {
      expect(key).toMatch(/^phones_[\da-f]{72}$/);
      expect(isApiKey(key)).toBe(true);
    }
    expect(new Set(keys.map((key) => key.slice(7, -8))).size).toBe(1000);
  });

  it('is identified by its first 15 characters, which leaves 224 bits secret', () => {
    const key = createApiKey();
    expect(prefixOf(key)).toBe(key.slice(0, 15));
  });
});

describe('isApiKey', () => {
  it('returns false when any one character of a key is changed, removed or doubled', () => {
    fc.assert(
      fc.property(
        fc.nat(78),
        fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 1 }),
        (index, character) => {
          const key = createApiKey();
          const [before, after] = [key.slice(0, index), key.slice(index + 1)];
          if (character !== key[index]) expect(isApiKey(before + character + after)).toBe(false);
          expect(isApiKey(before + after)).toBe(false);
          expect(isApiKey(before + key.slice(index, index + 1).repeat(2) + after)).toBe(false);
        },
      ),
    );
  });

  it('returns false for any other text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !isApiKey(text)));
    expect(isApiKey(`${createApiKey()}\n`)).toBe(false);
  });
});

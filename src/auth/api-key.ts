import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * An API key consists of `phones_`, 256 random bits and a CRC-32 checksum, in hexadecimal. Secret scanners recognize
 * the prefix. The checksum distinguishes a mistyped key from an unknown one without a database query.
 */
const API_KEY = /^phones_[\da-f]{72}$/;

const CHECKSUM_LENGTH = 8;

/** The length of the prefix by which people recognize their keys. It reveals 32 of the random bits. */
const PREFIX_LENGTH = 'phones_'.length + 8;

export function createApiKey(): string {
  const key = `phones_${randomBytes(32).toString('hex')}`;
  return key + checksumOf(key);
}

/** Whether a text is well-formed as an API key, with the right checksum. */
export function isApiKey(text: string): boolean {
  return API_KEY.test(text) && checksumOf(text.slice(0, -CHECKSUM_LENGTH)) === text.slice(-CHECKSUM_LENGTH);
}

export function prefixOf(key: string): string {
  return key.slice(0, PREFIX_LENGTH);
}

/** The hash by which a key is stored. A key is random, so a slow hash, as for passwords, would not make it safer. */
export function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

function checksumOf(text: string): string {
  return crc32(text).toString(16).padStart(CHECKSUM_LENGTH, '0');
}

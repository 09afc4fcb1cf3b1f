import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * An API key is `phones_`, 256 random bits and the CRC-32 of all that, in hexadecimal. The first part lets a
 * secret scanner find it, the last tells a mistyped key from an unknown one without asking the database.
 */
const API_KEY = /^phones_[\da-f]{72}$/;

const CHECKSUM_LENGTH = 8;

/** How much of a key is kept and shown, so that people can tell their keys apart: 32 of its random bits. */
const PREFIX_LENGTH = 'phones_'.length + 8;

export function createApiKey(): string {
  const key = `phones_${randomBytes(32).toString('hex')}`;
  return key + checksumOf(key);
}

/** Whether a text can be a key at all: it has the form of one, and nothing in it was mistyped. */
export function isApiKey(text: string): boolean {
  return API_KEY.test(text) && checksumOf(text.slice(0, -CHECKSUM_LENGTH)) === text.slice(-CHECKSUM_LENGTH);
}

export function prefixOf(key: string): string {
  return key.slice(0, PREFIX_LENGTH);
}

/** What is stored of a key. It is as random as a key can be, so a slow hash, as for passwords, would add nothing. */
export function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

function checksumOf(text: string): string {
  return crc32(text).toString(16).padStart(CHECKSUM_LENGTH, '0');
}

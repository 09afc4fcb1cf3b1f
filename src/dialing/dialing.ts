import type { DialedNumber } from './dialed-number.js';
import { type CountryCode, parsePhoneNumberFromString } from './phone-number-library.js';

/** What a phone dials, as the API returns it. */
export interface Dialing {
  /** The `tel:` URI (RFC 3966), such as `tel:+16505550103;ext=12`. */
  uri: string;
  /** The number in E.164 format; null for a short code. */
  e164: string | null;
  extension: string | null;
  /** The number as it is written for callers from other countries, such as `+1 650 555 0103`; null for a short code. */
  international: string | null;
  /** The country that the number belongs to (ISO 3166-1 alpha-2); null if no single country has it. */
  country: CountryCode | null;
  /** Whether the numbering plan has such a number. */
  valid: boolean;
}

/**
 * Describes a dialed number. Country and validity come from the current numbering plan, and are not stored.
 *
 * @param number what `parseDialedNumber` has returned
 * @param country where short codes are dialed
 */
export function toDialing({ dial, extension }: DialedNumber, country: CountryCode): Dialing {
  const uri = `tel:${dial}${extension === null ? '' : `;ext=${extension}`}`;
  if (!dial.startsWith('+')) {
    return { uri, e164: null, extension, international: null, country, valid: true };
  }
  const number = parsePhoneNumberFromString(dial, { extract: false });
  return {
    uri,
    e164: dial,
    extension,
    international: number?.formatInternational() ?? dial,
    country: number?.country ?? null,
    valid: number?.isValid() ?? false,
  };
}

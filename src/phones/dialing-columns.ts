import { dialingVersion, parseDialedNumber } from '../dialing/dialed-number.js';
import { type Dialing, toDialing } from '../dialing/dialing.js';
import type { CountryCode } from '../dialing/phone-number-library.js';

/** What is stored with the digits of a phone, so that the phone is found by its number. */
export interface DialingColumns {
  dial: string | null;
  dial_extension: string | null;
  dialing_version: string | null;
}

/** @param country of numbers that are written without a country calling code */
export function toDialingColumns(digits: string, country: CountryCode): DialingColumns {
  const number = parseDialedNumber(digits, country);
  return {
    dial: number?.dial ?? null,
    dial_extension: number?.extension ?? null,
    dialing_version: dialingVersion(country),
  };
}

/**
 * Describes what a phone dials. What was stored under other rules is computed again.
 *
 * @returns null if nothing can be dialed
 */
export function describeDialing(
  { digits, ...stored }: { digits: string } & DialingColumns,
  country: CountryCode,
): Dialing | null {
  const isCurrent = stored.dialing_version === dialingVersion(country);
  const { dial, dial_extension: extension } = isCurrent ? stored : toDialingColumns(digits, country);
  return dial === null ? null : toDialing({ dial, extension }, country);
}

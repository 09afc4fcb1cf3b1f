import {
  ASIDE,
  EXTENSION,
  KEYPAD,
  LEFT_OUT,
  LONG_SHORT_CODE,
  NORTH_AMERICAN_NUMBER,
  NORTH_AMERICAN_SERVICE_CODE,
  NUMBERS,
  SERVICE_CODE,
  TOLL_FREE,
} from './number-patterns.js';
import {
  type CountryCode,
  getCountryCallingCode,
  LIBRARY_VERSION,
  parsePhoneNumberFromString,
} from './phone-number-library.js';
import { toPlainText } from './plain-text.js';

/** What a phone dials, in the form that is stored and searched: two phones dial the same if these are equal. */
export interface DialedNumber {
  /** A number in E.164 format, such as `+16505550103`, or a short code, such as `711`. */
  dial: string;
  /** One to nine ASCII digits that are dialed once the call is connected; null if there are none. */
  extension: string | null;
}

/** Increment it when a change of this directory changes what a text dials. */
const RULES_VERSION = 1;

/** The text of 255 characters, all of them surrogate pairs. */
const MAX_LENGTH = 510;

/** A plus sign and 15 digits. */
const MAX_E164_LENGTH = 16;

/** 15 digits, and five of an international prefix. */
const MAX_DIGITS = 20;

/** How often a text may repeat its number. */
const MAX_REPETITIONS = 2;

/**
 * Identifies the rules by which numbers are parsed. A stored number that was parsed under another version may be
 * outdated.
 *
 * @returns up to 32 characters that change with the rules, the metadata of the library or the country
 */
export function dialingVersion(country: CountryCode): string {
  return `${RULES_VERSION}/${LIBRARY_VERSION}/${country}`;
}

/**
 * Finds out what is dialed to reach a phone. There are five rules, whose patterns are in number-patterns.ts:
 *
 * 1. Ten or eleven digits in the usual North American form are a number there, perhaps with an extension.
 * 2. A short code, such as 211 or 741741, is dialed as it is.
 * 3. The letters of a vanity number, such as 1-800-GO-FEDEX, are digits.
 * 4. An extension is dialed after the number. Menu hints, such as "press 2", are left out.
 * 5. A number need not exist, but its country must have numbers of its length. Two numbers cannot both be dialed.
 *
 * @param text the digits of the phone, as they were written
 * @param country where a number without a country calling code is dialed
 * @returns null if nothing can be dialed, or more than one number
 */
export function parseDialedNumber(text: string, country: CountryCode): DialedNumber | null {
  // Rule 1 decides for nearly all phones of a North American directory, and takes less than 1 µs.
  if (isNorthAmerican(country)) {
    const [match, area, exchange, line, extension = null] = NORTH_AMERICAN_NUMBER.exec(text) ?? [];
    if (match !== undefined) return { dial: `+1${area}${exchange}${line}`, extension };
  }
  return text.length > MAX_LENGTH ? null : parsePlainText(toPlainText(text), country);
}

function parsePlainText(text: string, country: CountryCode): DialedNumber | null {
  // Rule 4.
  const withoutHints = LEFT_OUT.reduce((rest, pattern) => rest.replace(pattern, ' | '), text);
  const [extension, secondExtension] = withoutHints.matchAll(EXTENSION);
  if (secondExtension !== undefined) return null;
  if (extension !== undefined && !/\d/.test(withoutHints.slice(0, extension.index))) return null;

  // Rule 5. What repeats the number or its last digits is no second number: 1-800-273-TALK (8255).
  const numbers = withoutHints.replace(EXTENSION, ' | ').replace(ASIDE, ' | $1 | ').matchAll(NUMBERS);
  const [first, ...repetitions] = numbers;
  const dial = first && parseNumber(first, country);
  if (!dial || repetitions.length > MAX_REPETITIONS) return null;
  const isSame = (number: RegExpExecArray) =>
    isEndOf(dial, number[0]) || parseNumber(number, country) === dial;
  return repetitions.every(isSame) ? { dial, extension: extension?.[1] ?? null } : null;
}

function isEndOf(dial: string, text: string): boolean {
  const digits = text.replace(/\D/g, '');
  return digits.length >= 4 && dial.endsWith(digits);
}

function parseNumber([text, surplus]: RegExpExecArray, country: CountryCode): string | null {
  if (surplus !== undefined) return parseVanityNumber(text, surplus, country);
  const digits = text.replace(/\D/g, '');
  if (digits.length > MAX_DIGITS) return null;
  if (text.includes('+')) return toE164(`+${digits}`);
  return parseShortCode(text, digits, country) ?? parseNationalNumber(text, digits, country);
}

/** Rule 2. */
function parseShortCode(text: string, digits: string, country: CountryCode): string | null {
  const serviceCode = isNorthAmerican(country) ? NORTH_AMERICAN_SERVICE_CODE : SERVICE_CODE;
  if (!serviceCode.test(digits) && !LONG_SHORT_CODE.test(text)) return null;
  // In some countries, the numbers of subscribers are as short.
  return !isNorthAmerican(country) && parsePhoneNumberFromString(digits, country)?.isValid() ? null : digits;
}

/** Rule 3. */
function parseVanityNumber(text: string, surplus: string, country: CountryCode): string | null {
  if (!isNorthAmerican(country) && !text.includes('+')) return null;
  // No word: 650-555-O1O3 is a typing error, 650-555-XXXX a placeholder.
  if (!/([A-Z])(?!\1)[A-Z]/i.test(text)) return null;
  const characters = text.replace(/[^A-Z\d]/gi, '').replace(/^1/, '');
  if (surplus !== '' && !TOLL_FREE.test(characters)) return null;
  return `+1${characters.slice(0, 10).replace(/[A-Z]/gi, toKey)}`;
}

function toKey(letter: string): string {
  return KEYPAD.charAt(letter.toUpperCase().charCodeAt(0) - 'A'.charCodeAt(0));
}

function parseNationalNumber(text: string, digits: string, country: CountryCode): string | null {
  if (isNorthAmerican(country)) {
    const [, area, exchange, line] =
      NORTH_AMERICAN_NUMBER.exec(text) ?? /^1?([2-9]\d\d)(\d{3})(\d{4})$/.exec(digits) ?? [];
    if (area !== undefined) return `+1${area}${exchange}${line}`;
  } else {
    const national = toE164(digits, country);
    if (national !== null) return national;
  }
  // The international prefixes of North America and of most other countries.
  const [, international] = /^(?:011|00)([1-9]\d*)$/.exec(digits) ?? [];
  return international === undefined ? null : toE164(`+${international}`);
}

/**
 * Formats a number according to E.164.
 *
 * @param digits the digits of the number, with a leading `+` if they include the country calling code
 * @param defaultCountry the country of a number without `+`
 * @returns null if the country has no numbers of this length
 */
function toE164(digits: string, defaultCountry?: CountryCode): string | null {
  const number = parsePhoneNumberFromString(digits, { defaultCountry, extract: false });
  if (!number?.isPossible() || number.number.length > MAX_E164_LENGTH) return null;
  // A number that does not exist may have a second prefix, and would be another number when it is parsed again.
  return number.number === digits || number.isValid() ? number.number : toE164(number.number);
}

function isNorthAmerican(country: CountryCode): boolean {
  return getCountryCallingCode(country) === '1';
}

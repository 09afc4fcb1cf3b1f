import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { ValidateBy, ValidateIf } from 'class-validator';

/** The longest text, in Unicode code points, as PostgreSQL and JSON Schema count them. */
export const MAX_TEXT_LENGTH = 255;

/**
 * Characters that cannot be seen or that separate lines. The last five are blank, which no Unicode property says: a
 * Khitan filler, a Braille pattern, two Egyptian hieroglyphs and a musical note.
 */
const INVISIBLE =
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u{16FE4}\u2800\u{13441}\u{13442}\u{1D159}]/u;

/** Emoji with variation selectors, skin tones and joiners, and keycaps (Unicode Technical Standard #51). */
const EMOJI = /\p{ExtPict}[\uFE0F\p{EMod}]?(\u200D\p{ExtPict}[\uFE0F\p{EMod}]?)*|[0-9#*]\uFE0F\u20E3/gu;

export interface TextOptions {
  /** Whether the text must contain a decimal digit, of any script. Default: false. */
  digit?: boolean;
  /** Whether null is allowed. Blank text then becomes null. Default: false. */
  nullable?: boolean;
}

/** Trims a text, and validates that it is one line of 1 to {@link MAX_TEXT_LENGTH} visible characters. */
export const IsText = (options: TextOptions = {}) =>
  applyDecorators(
    Transform(({ value }: { value: unknown }) => normalize(value, options)),
    ValidateBy({
      name: 'isText',
      validator: {
        validate: (value) => validateText(value, options) === undefined,
        defaultMessage: (validation) => validateText(validation?.value, options) ?? '',
      },
    }),
  );

/** Lets a field be absent. Unlike `IsOptional` of class-validator, it does not allow null. */
export const OptionalNotNull = () => ValidateIf((_, value) => value !== undefined);

function normalize(value: unknown, { nullable }: TextOptions): unknown {
  // trim() would remove U+FEFF, which is an invisible format character and must be rejected.
  if (typeof value !== 'string' || value.includes('\uFEFF')) return value;
  const trimmed = value.trim();
  return nullable && trimmed === '' ? null : trimmed;
}

/** @returns what is wrong with a text, as a sentence without its subject; undefined if nothing is */
export function validateText(value: unknown, { digit, nullable }: TextOptions): string | undefined {
  if (value === null && nullable) return undefined;
  if (value === undefined) return 'is required';
  if (typeof value !== 'string') return nullable ? 'must be a string or null' : 'must be a string';
  if (!value.isWellFormed()) return 'must be well-formed Unicode, without lone surrogates';
  if (value === '') return 'must not be empty';
  if (Array.from(value).length > MAX_TEXT_LENGTH) return `must have at most ${MAX_TEXT_LENGTH} characters`;
  const invisible = findInvisible(value);
  if (invisible !== undefined) {
    const codePoint = `U+${invisible.toString(16).toUpperCase().padStart(4, '0')}`;
    return `must not contain control, invisible or line-separating characters, such as the ${codePoint} in it`;
  }
  if (digit && !/\p{Nd}/u.test(value)) return 'must contain at least one digit';
  return undefined;
}

/** @returns the first invisible character of a text that is not part of an emoji; undefined if there is none */
function findInvisible(text: string): number | undefined {
  // Emoji are only looked for in the few texts that contain such a character.
  if (!INVISIBLE.test(text)) return undefined;
  return INVISIBLE.exec(text.replace(EMOJI, ''))?.[0].codePointAt(0);
}

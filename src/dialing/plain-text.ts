/** Pairs of characters and what they are replaced with. */
const REPLACEMENTS: [RegExp, string | ((character: string) => string)][] = [
  // Invisible characters, and the box that makes a keycap emoji of a digit.
  [/[\p{Cf}\p{M}]/gu, ''],
  // Full-width characters.
  [/[\uff01-\uff5e]/g, (character) => String.fromCharCode(character.charCodeAt(0) - 0xfee0)],
  // Decimal digits of other scripts.
  [/[^\P{Nd}0-9]/gu, toAsciiDigit],
  [/\s/g, ' '],
  [/\u00d7/g, 'x'],
  // Dashes, the minus sign, and what else is used as a hyphen.
  [/[\p{Pd}\u2212\u30fc~_]/gu, '-'],
  // Centered dots, bullets and the ideographic full stop.
  [/[\u00b7\u2022\u2219\u22c5\u2027\u3002]/g, '.'],
  [/[\u2044\u2215]/g, '/'],
  [/[[{]/g, '('],
  [/[\]}]/g, ')'],
];

/** Replaces digits of any script, spaces, dashes, dots, slashes and brackets with their ASCII equivalents. */
export function toPlainText(text: string): string {
  return REPLACEMENTS.reduce(
    // The two overloads of `replace` do not accept a union.
    (plain, [characters, replacement]) => plain.replaceAll(characters, replacement as string),
    text,
  );
}

/** Unicode encodes the ten digits of a script in ascending order, sometimes with another ten right before them. */
function toAsciiDigit(digit: string): string {
  const codePoint = digit.codePointAt(0) ?? 0;
  let first = codePoint;
  while (/\p{Nd}/u.test(String.fromCodePoint(first - 1))) first--;
  return String((codePoint - first) % 10);
}

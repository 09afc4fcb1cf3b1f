// How numbers are written in directories, in the order of the rules of parseDialedNumber. All patterns but the first expect
// the result of toPlainText. None nests unlimited repetitions, which could take very long.

/**
 * Rule 1: ten digits of the North American numbering plan (or eleven, with the country code 1) and perhaps an extension.
 * Nearly every North American number is written so.
 */
export const NORTH_AMERICAN_NUMBER =
  /^ *(?:\+?1[ ./-]{0,3})?\(?(\d{3})\)?[ ./-]{0,3}(\d{3})[ ./-]{0,3}(\d{4})(?: {0,2},? {0,2}(?:ext\.?|x) {0,2}(\d{1,9}))?[ .,;/-]*$/i;

/** Rule 2: the short codes of three digits. In North America, they cannot be area codes. */
export const NORTH_AMERICAN_SERVICE_CODE = /^(?:[2-9]11|988)$/;
export const SERVICE_CODE = /^\d{3}$/;

/** Rule 2: the short codes of five or six digits: 741741, 116 123, 13 11 14. "(410) 526-" is an incomplete number. */
export const LONG_SHORT_CODE = /^(?:\(?\d{5,6}\)?[ ./-]*|\d{3}[ -]\d{2,3}[ .]*|\d{2} \d{2} \d{2}[ .]*)$/;

// Rule 3: a vanity number is an area code and seven letters and digits, with a letter after at most three digits:
// 1-800-GO-FEDEX, (301) 439-FLAG. A word in lower case must be joined by a hyphen or a dot.
const VANITY_AREA_CODE = String.raw`(?<![\d\p{L}])(?:\+?1[ .-]*)?\(?(?![2-9]11|988)[2-9]\d{2}\)?(?!\d)`;
const VANITY_WORD = String.raw`(?=(?:[ .-]*\d){0,3}[ .-]*[A-Za-z])(?:[ .-]*[A-Z\d]|[.-]?[a-z]){7}`;
const VANITY_SURPLUS = String.raw`(?<surplus>[A-Z]*(?: \d)?)(?![\p{L}\d])`;

/** Rule 3: the keys of a telephone for the letters A to Z (ITU-T E.161). */
export const KEYPAD = '22233344455566677778889999';

/** Rule 3: the area codes with words of more than seven letters, as in 1-800-CONTACTS. Seven are dialed. */
export const TOLL_FREE = /^8(?:00|33|44|55|66|77|88)/;

// A number of one or two digits, not the beginning of a longer one.
const HINT = String.raw`\d{1,2}(?![ ()./-]*\d)`;
const HINT_WORD =
  'press|push|hit|select|choose|enter|dial|opt|options?|prompt|presione|oprima|pulse|marque|opci[oó]n|faites';
const HINT_JOINT = String.raw`[,;&#*]|\b(?:and|or|then|y|o|et|ou)\b|\b(?:for|to|para|pour) \p{L}+\b`;

/** Rule 4: what contains digits, but is not dialed with the number. */
export const LEFT_OUT: readonly RegExp[] = [
  // "press 2", "option #3", "then dial 0", "press 1 for English, 2 or 3"
  new RegExp(
    String.raw`\b(?:${HINT_WORD})(?: (?:the|number|key|el|la|le)\b){0,2}[^\p{L}\d]{0,3}${HINT}` +
      String.raw`(?:(?: {0,2}(?:${HINT_JOINT})){1,4} {0,2}${HINT}){0,8}`,
    'giu',
  ),
  // "24/7", "24-hour", "7 days"
  /\b24 ?[/x-] ?7\b|\b\d{1,2}[ -]?(?:hours?|hrs?|days?|horas?|d[ií]as?|heures?|jours?)\b/giu,
  // "9 a.m.", "8-5pm", "8:30"
  /\b(?:\d{1,2}(?::\d\d)? ?- ?)?\d{1,2}(?::\d\d)? ?[ap]\.?m\b\.?|\b\d{1,2}:\d\d\b/gi,
  // "Phone 2:"
  /^\D*\p{L} ?#?\d ?:/gu,
  // "*67", which withholds the number of the caller
  /^\D*\*\d\d\b/g,
];

const EXTENSION_SIGN = String.raw`(?:(?<!\p{L})(?:ext\p{L}*|ex|xt|x|int|interno|anexo|ramal|poste|доб\p{L}*)|#)`;

/** Rule 4: an extension, such as "x12", "ext. 12", "Extension number 12", "#12", ",12" or ";ext=12". */
export const EXTENSION = new RegExp(
  String.raw`(?:${EXTENSION_SIGN}[^\p{L}\d]{0,4}(?:(?:x|no|number)[^\p{L}\d]{0,3})?|(?<=\d),{1,3})(\d{1,9})(?![ ()./-]*\d)`,
  'giu',
);

/** Rule 5: text in parentheses, unless it is an area code in front of a number. */
export const ASIDE = /\((?!\+?[\d -]{1,7}\)[ ()./-]*[\dA-Z])([^()]*)\)/g;

/** Rule 5: all numbers in a text. The group `surplus` is undefined unless it is a vanity number. */
export const NUMBERS = new RegExp(
  String.raw`${VANITY_AREA_CODE}${VANITY_WORD}${VANITY_SURPLUS}|[+(]*\d[\d ()./+-]*`,
  'gu',
);

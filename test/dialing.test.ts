import { createRequire } from 'node:module';
import fc from 'fast-check';
import { getExampleNumber, type CountryCode, type Examples } from 'libphonenumber-js/max';
import { describe, expect, it } from 'vitest';
import { dialingVersion, parseDialedNumber } from '../src/dialing/dialed-number.js';
import { toDialing } from '../src/dialing/dialing.js';
import { getCountries, LIBRARY_VERSION } from '../src/dialing/phone-number-library.js';

const EXAMPLES = createRequire(import.meta.url)('libphonenumber-js/examples.mobile.json') as Examples;

/** What a text dials, as `DIAL` or `DIAL;ext=EXTENSION`; null if nothing. */
function dialed(text: string, country: CountryCode = 'US'): string | null {
  const number = parseDialedNumber(text, country);
  return number && toDialing(number, country).uri.replace('tel:', '');
}

type Case = [expected: string | null, texts: string[], country?: CountryCode];

/** Tests that all texts of a case dial the same. */
function itDials(cases: Case[]): void {
  for (const [expected, texts, country] of cases) {
    it(`dials ${expected ?? 'nothing'} when written like ${JSON.stringify(texts[0])}`, () => {
      const actual = Object.fromEntries(texts.map((text) => [text, dialed(text, country)]));
      expect(actual).toEqual(Object.fromEntries(texts.map((text) => [text, expected])));
    });
  }
}

describe('A number in the North American numbering plan', () => {
  itDials([
    [
      '+16505550103',
      [
        ...['6505550103', '650-555-0103', '650.555.0103', '650 555 0103', '650/555-0103', '(650) 555-0103'],
        ...[
          '(650)555-0103',
          '(650)-555-0103',
          '(650) 5550103',
          '650) 555-0103',
          '(650 555-0103',
          '650. 555. 0103',
        ],
        ...[
          '(650) 555- 0103',
          '(650)- 555- 0103',
          '(650) 555 - 0103',
          '650--555--0103',
          '650_555_0103',
          '650·555·0103',
        ],
        ...['( 650 ) 555 - 0103', '[650] 555-0103', '((650)) 555-0103', '(650-555-0103)', '650 55 50103'],
        ...[
          '1-650-555-0103',
          '1 (650) 555-0103',
          '1-(650) 555-0103',
          '1.650.555.0103',
          '1+650-555-0103',
          '16505550103',
        ],
        ...['+16505550103', '+1 650 555 0103', '+1 (650) 555-0103', '(+1) 650-555-0103', '+(1) 650-555-0103'],
        ...[
          '001 650 555 0103',
          '0016505550103',
          '011 1 650 555 0103',
          'tel:+1-650-555-0103',
          'callto:+16505550103',
        ],
      ],
    ],
    // It can be dialed, but it reaches nobody.
    ['+10000741741', ['000-074-1741']],
    ['+11234567890', ['123-456-7890', '1-123-456-7890', '+1 123 456 7890', '1234567890']],
  ]);

  itDials([
    [
      null,
      [
        '650-555-010',
        '650-555-01033',
        '(6505) 550-1033',
        '6505-555-0103',
        '(650) 1-800-555-0104',
        '2 650 555 0103',
      ],
    ],
    [
      null,
      ['555-0103', '5550103', '555-0103 FAX', '555-4103 FAX', '555-0103 (650)', '(   ) 555-0103', '#5550118'],
    ],
    [null, ['(650)    -', '(650) 555-', '650-555-', '(6  )    -', '(   )    -', '1-800-', '(02) 5550 1234']],
    [
      null,
      ['no phone', 'Executive Director', '650-555-01O3', '65O-555-0103', '650-555-XXXX', '1-800-XXX-XXXX'],
    ],
  ]);
});

describe('A number of any country', () => {
  itDials([
    ['+442079460018', ['+44 20 7946 0018', '+44 (0)20 7946 0018', '(+44) 20 7946 0018', '+44(20)7946-0018']],
    [
      '+442079460018',
      ['011 44 20 7946 0018', '01144 (0)20 7946 0018', '00 44 20 7946 0018', '0044-20-7946-0018'],
    ],
    ['+442079460018', ['020 7946 0018', '(020) 7946 0018', '0207 946 0018', '44 20 7946 0018'], 'GB'],
    ['+16505550103', ['001 650 555 0103', '011 1 650 555 0103', '+1 650-555-0103'], 'GB'],
    ['+18004633339', ['+1 800 GO-FEDEX'], 'GB'],
    ['+33123456789', ['01 23 45 67 89', '01.23.45.67.89', '+33 (0)1 23 45 67 89'], 'FR'],
    ['+49305550100', ['030 5550100', '030/5550100', '(030) 555 01-00', '0049 30 5550100'], 'DE'],
    ['+61255501234', ['(02) 5550 1234', '+61 (0)2 5550 1234'], 'AU'],
    ['+16505550103', ['0011 1 650 555 0103'], 'AU'],
    ['+81312345678', ['03-1234-5678', '（03）1234-5678'], 'JP'],
    ['+525555550103', ['55 5555 0103', '(55) 5555-0103', '01152 55 5555 0103'], 'MX'],
    ['+390669812345', ['06 698 12345', '+39 06 698 12345'], 'IT'],
    ['+74951234567', ['8 (495) 123-45-67'], 'RU'],
    // Numbers that do not exist: a second 0 is left out as well, and E.164 has at most 15 digits.
    ['+2542929872', ['002929872', '02929872', '+254 2929872'], 'KE'],
    [null, ['6505 550 103 247'], 'NG'],
  ]);
});

describe('A short code', () => {
  itDials([
    [
      '311',
      ['311', '(311)', '(311)    -', '(   ) 311-    ', '3-1-1', 'City services (311)', '311 (toll free)'],
    ],
    ['711', ['711', 'TTY 711', '711 (TTY)', '7-1-1 Relay', '711 RELAY SERVICE', 'tel:711']],
    [
      '988',
      ['988', '9-8-8', '988 press 1', '988, then press 1', '988 LIFELINE', '988 (chat at 988lifeline.org)'],
    ],
    [
      '741741',
      [
        '741741',
        '741-741',
        'Text HOME to 741741',
        '741741 (text HOME)',
        '741741 HOME',
        'Crisis Text Line (741741)',
      ],
    ],
    ['88788', ['88788', "Text 'START' to 88788"]],
    ['116123', ['116123', '116 123']],
    ['116123', ['116123', '116 123'], 'GB'],
    ['999', ['999'], 'GB'],
    ['112', ['112'], 'DE'],
    // In these countries, ordinary numbers are as short.
    ['+298312345', ['312345'], 'FO'],
    ['+61131114', ['13 11 14'], 'AU'],
    [null, ['1', '12', '123', '650', '1-211', '+1 211', '(410) 526-', '211 or 1-800-555-0104', '911 or 988']],
  ]);
});

describe('A vanity number', () => {
  itDials([
    [
      '+18004633339',
      [
        '1-800-GO-FEDEX',
        '1 800 GO FEDEX',
        '1.800.GO.FEDEX',
        '1-800-go-fedex',
        '(800) GOFEDEX',
        '1(800)GO-FEDEX',
      ],
    ],
    [
      '+18004633339',
      ['1-800-GO-FEDEX (463-3339)', '1-800-463-3339 (1-800-GO-FEDEX)', '1-800-463-3339 (GO-FEDEX)'],
    ],
    ['+18006927753', ['1-800-MY-APPLE', '1-800-MY--APPLE', '800-MY-APPLE']],
    ['+18002433425', ['(800) AGE-DIAL', 'CALL (800) AGE-DIAL', '(800)AGE-DIAL']],
    [
      '+18002738255',
      ['1-800-273-TALK', '1-800-273-TALK (8255)', '1-800-273-8255 (TALK)', '1-800-273-TALK (8255) press 1'],
    ],
    ['+18004224453', ['1-800-4-A-CHILD']],
    ['+18005297374', ['1-800-LAW-REP-4']],
    ['+18447444879', ['844-RIGHTS-9 (844-744-4879)', '844-RIGHTS-9 or 844-744-4879']],
    ['+13014393524', ['(301) 439-FLAG', '(301) 439-FLAG FAX']],
    // More letters than digits are needed.
    ['+18002668228', ['1-800-CONTACTS', '800 CONTACTS']],
    ['+18777462983', ['1-877-SIN-AYUDA 1']],
    [
      null,
      [
        '1-800-GO-FEDEX or 650-555-0103',
        '1-800-GO',
        '650-555-O1O3',
        '1-800 Toll free',
        '270 OR 800',
        '800 flowers',
      ],
    ],
  ]);
});

describe('An extension', () => {
  itDials([
    [
      '+16505550103;ext=12',
      [
        ...[
          '650-555-0103 x12',
          '650-555-0103 x 12',
          '650-555-0103x12',
          '650-555-0103 X12',
          '650-555-0103 x.12',
          '650-555-0103 ×12',
        ],
        ...[
          '650-555-0103 ext. 12',
          '650-555-0103, ext. 12',
          '(650) 555-0103EXT12',
          '650-555-0103 - ext. 12',
          '650-555-0103 ext # 12',
        ],
        ...[
          '650-555-0103 Ext: 12',
          '650-555-0103 (ext. 12)',
          '650-555-0103 ext "12"',
          '650-555-0103 ext x12',
          '650-555-0103 ext no. 12',
        ],
        ...[
          '650-555-0103 Extension 12',
          '650-555-0103 extension number 12',
          '650-555-0103 extensión 12',
          '650-555-0103 extn 12',
        ],
        ...[
          '650-555-0103 ex. 12',
          '650-555-0103 xt 12',
          '650-555-0103 #12',
          '650-555-0103,12',
          '650-555-0103;ext=12',
        ],
        ...[
          'tel:+1-650-555-0103;ext=12',
          'TTY: 650-555-0103 x12',
          '650-555-0103 (Intake) x12',
          '650-555-0103 x12 (Intake)',
        ],
        ...[
          '650-555-0103 ext. 12, then press 3',
          '650-555-0103 press 3 x12',
          '650-555-0103 then dial ext. 12',
          '650-555-0103 poste 12',
        ],
      ],
    ],
    ['+442079460018;ext=12', ['+44 20 7946 0018 x12', '+44 (0)20 7946 0018 ext. 12']],
    ['+16505550103', ['650-555-0103 ext.', '650-555-0103 x', '650-555-0103 extension twelve']],
    [
      null,
      ['650-555-0103 ext. 12 or 13', '650-555-0103 x12, 13', '650-555-0103 x12/13', '650-555-0103 ext 12-15'],
    ],
    [
      null,
      ['650-555-0103 x12, x13', '650-555-0103 x1x2', '650-555-0103 x12 650-555-0104', 'x 307', 'ext. 12345'],
    ],
  ]);
});

describe('A number with other text', () => {
  itDials([
    [
      '+16505550103',
      [
        ...[
          'Phone: 650-555-0103',
          'Phone # 650-555-0103',
          'Phone 2: 650-555-0103',
          'main: (650) 555-0103',
          '(Fax) 650-555-0103',
        ],
        ...[
          'TTY/TDD: 650-555-0103',
          '650-555-0103 TTY',
          '650-555-0103 (v/tty)',
          '650-555-0103 (LAWS)',
          '☎ 650-555-0103',
        ],
        ...[
          '650-555-0103 (se habla español)',
          '650-555-0103, ask for Maria',
          '"650-555-0103"',
          '<b>650-555-0103</b>',
        ],
        ...[
          '650-555-0103 press 2',
          '650-555-0103 (press “2”)',
          '650-555-0103, Option #3',
          '650-555-0103 then dial 0',
        ],
        ...[
          '650-555-0103 press 1, 2 or 3',
          '650-555-0103 press 1 for English, 2 for Spanish',
          '650-555-0103 oprima 2',
        ],
        ...[
          '650-555-0103 (24/7)',
          '24-hour hotline: 650-555-0103',
          '650-555-0103 (8:30am - 5 p.m.)',
          '650-555-0103 7 days a week',
        ],
        ...['*67 650-555-0103', '650-555-0103 or 650-555-0103'],
      ],
    ],
    [
      '+16505550103',
      ['６５０－５５５－０１０３', '٦٥٠٥٥٥٠١٠٣', '६५०-५५५-०१०३', '𝟔𝟓𝟎-𝟻𝟻𝟻-𝟢𝟙𝟘𝟛', '6️⃣50-555-0103'],
    ],
    [
      '+16505550103',
      [
        '650\u00a0555\u20110103',
        '650–555–0103',
        '650—555—0103',
        '650−555−0103',
        '\u202a+1 650 555 0103\u202c',
      ],
    ],
  ]);

  itDials([
    [
      null,
      [
        '650-555-0103 or 650-555-0104',
        '650-555-0103 / 650-555-0104',
        '650-555-0103, 650-555-0104',
        '650-555-0103 650-555-0104',
      ],
    ],
    [
      null,
      [
        '650-555-0103 OR 800-555-0104',
        '(650) 555-0103; (650) 555-0104',
        '650-555-0103 (650-555-0104)',
        '650-555-0103 & 711',
      ],
    ],
    [
      null,
      [
        '650-555-0103, Fax: (650) 555-0104',
        'tdd: 800-555-0103, main: 650-555-0104',
        '650-555-0103 (TTY: 711)',
      ],
    ],
    [
      null,
      [
        '650-555-0128 or 0129',
        '650-555-0128/0129',
        '650-555-0128/29',
        '650-555-0128 or 29',
        '650-555-0115 (Spanish: 0116)',
      ],
    ],
  ]);
});

const nanpNumber = fc.stringMatching(/^\d{10}$/);
const separator = fc.constantFrom('', ' ', '-', '.', ' - ', '- ', '\u00a0', '\u2011', '–', '/');
const prefix = fc.constantFrom('', '1', '1-', '1 ', '+1', '+1 ', '+1-', '1.');
const label = fc.constantFrom('', 'Phone: ', 'TTY ', '(fax) ', '☎ ', 'tel:', 'Toll-free: ');
const ending = fc.constantFrom('', ' (main)', ' fax', ', press 2', ' (se habla español)', '.', ' 24/7');
const extensionSign = fc.constantFrom(
  ' x',
  'x',
  ' x ',
  ' ext. ',
  ', ext ',
  ' Ext: ',
  ' #',
  ';ext=',
  ',',
  ' extension ',
  ' xt ',
);
const extension = fc.option(fc.stringMatching(/^\d{1,9}$/));

/** A number in one of the usual ways of writing. */
const writtenNumber = fc
  .record({
    number: nanpNumber,
    separators: fc.tuple(separator, separator),
    prefix,
    parentheses: fc.boolean(),
    sign: extensionSign,
    extension,
  })
  .map(({ number, separators, prefix, parentheses, sign, extension }) => {
    const [area, exchange, line] = [number.slice(0, 3), number.slice(3, 6), number.slice(6)];
    const areaCode = parentheses ? `(${area})` : area;
    return {
      text: `${prefix}${areaCode}${separators[0]}${exchange}${separators[1]}${line}${extension === null ? '' : sign + extension}`,
      number: { dial: `+1${number}`, extension },
    };
  });

const FRAGMENTS = [
  ...[
    '1',
    '0',
    '24',
    '650-555-0103',
    '(650)',
    '741741',
    '211',
    '+',
    '+1',
    '011',
    '00',
    '(',
    ')',
    '()',
    '((',
    '(a)',
    '-',
    ' - ',
    ' ',
    '.',
    '/',
  ],
  ...[
    ',',
    '#',
    ';',
    ':',
    '|',
    '*',
    '*67',
    'x',
    'ext',
    'ext. ',
    ';ext=',
    'no ',
    'or ',
    'for ',
    'to a',
    'the ',
    'press ',
    'press 1',
    'option 1 and ',
  ],
  ...[
    '24/7',
    '24 h',
    '9:',
    '8-5p',
    'a',
    'A',
    'AB',
    '1A',
    '800-',
    '800-A',
    '800 GO-FEDEX',
    'é',
    '٣',
    '𝟗',
    '\u0301',
    '\u200b',
    '\u00a0',
    '\ud800',
    'доб',
  ],
];
const fragments = fc
  .array(fc.oneof(fc.constantFrom(...FRAGMENTS), fc.string({ unit: 'binary', maxLength: 3 })), {
    maxLength: 60,
  })
  .map((parts) => parts.join(''));

describe('parseDialedNumber', () => {
  it('finds a number and its extension again, however it is written', () => {
    fc.assert(
      fc.property(writtenNumber, label, ending, ({ text, number }, before, after) => {
        expect(parseDialedNumber(text, 'US')).toEqual(number);
        expect(parseDialedNumber(before + text + after, 'US')).toEqual(number);
      }),
      { numRuns: 1000 },
    );
  });

  it('finds the numbers of each country in its own ways of writing', () => {
    for (const country of getCountries()) {
      const example = getExampleNumber(country, EXAMPLES);
      const national = String(example?.formatNational());
      const international = String(example?.formatInternational());
      const texts = [national, `Tel. ${national} (main)`, international, String(example?.getURI())];
      const expected = { dial: example?.number, extension: null };
      for (const text of texts) expect([text, parseDialedNumber(text, country)]).toEqual([text, expected]);
    }
  });

  it('returns null or a number that can be stored for any text, and dials the same for its URI', () => {
    fc.assert(
      fc.property(fragments, fc.constantFrom(...getCountries()), (text, country) => {
        const number = parseDialedNumber(text, country);
        if (number === null) return;
        expect(number.dial).toMatch(/^(\+\d{4,15}|\d{3,6})$/);
        expect(number.extension ?? '0').toMatch(/^\d{1,9}$/);
        expect(parseDialedNumber(toDialing(number, country).uri, country)).toEqual(number);
      }),
      { numRuns: 5000 },
    );
  });

  it('takes less than 1 ms for 255 characters of any kind', () => {
    const repeated = FRAGMENTS.flatMap((first) =>
      FRAGMENTS.map((second) => `650-555-0103${(first + second).repeat(255)}`),
    );
    const texts = [...repeated, ...fc.sample(fragments, 1000).map((text) => text.repeat(255))].map((text) =>
      Array.from(text).slice(0, 255).join(''),
    );
    for (const text of texts) {
      // The shortest of some durations, because another process may interrupt the others.
      let duration = Infinity;
      const deadline = performance.now() + 2000;
      while (duration >= 1 && performance.now() < deadline) {
        const start = performance.now();
        parseDialedNumber(text, 'US');
        duration = Math.min(duration, performance.now() - start);
      }
      expect([text, duration < 1]).toEqual([text, true]);
    }
  });
});

describe('dialingVersion', () => {
  it('changes with the rules, the metadata of the library and the country', () => {
    expect(dialingVersion('US')).toMatch(/^\d+\/\d+\.\d+\.\d+\/US$/);
    expect(dialingVersion('US')).toContain(LIBRARY_VERSION);
    expect(dialingVersion('US')).not.toBe(dialingVersion('CA'));
  });
});

describe('toDialing', () => {
  it.each([
    [
      '650-555-0103 x 12',
      {
        uri: 'tel:+16505550103;ext=12',
        e164: '+16505550103',
        extension: '12',
        international: '+1 650 555 0103',
        country: 'US',
        valid: true,
      },
    ],
    [
      '+44 20 7946 0018',
      {
        uri: 'tel:+442079460018',
        e164: '+442079460018',
        extension: null,
        international: '+44 20 7946 0018',
        country: 'GB',
        valid: true,
      },
    ],
    [
      '204-555-0103',
      {
        uri: 'tel:+12045550103',
        e164: '+12045550103',
        extension: null,
        international: '+1 204 555 0103',
        country: 'CA',
        valid: true,
      },
    ],
    // No country has such a number.
    [
      '000-074-1741',
      {
        uri: 'tel:+10000741741',
        e164: '+10000741741',
        extension: null,
        international: '+1 0000741741',
        country: null,
        valid: false,
      },
    ],
    [
      '+800 1234 5678',
      {
        uri: 'tel:+80012345678',
        e164: '+80012345678',
        extension: null,
        international: '+800 1234 5678',
        country: null,
        valid: true,
      },
    ],
    ['711', { uri: 'tel:711', e164: null, extension: null, international: null, country: 'US', valid: true }],
  ])('describes what %j dials', (text, expected) => {
    const number = parseDialedNumber(text, 'US');
    expect(number && toDialing(number, 'US')).toEqual(expected);
  });
});

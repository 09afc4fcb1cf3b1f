import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectFieldErrors, expectProblem, request } from './support/api.js';
import { createOwner, createPhone, listPhones, OWNER_CASES, type Phone } from './support/owners.js';

const INVISIBLE = ['\u200b', '\u202e', '\u2066', '\ufeff', '\u00ad', '\u2060', '\u{e0001}'];
/** Invisible characters that Unicode counts among letters, marks and symbols. */
const BLANK = [
  '\u034f',
  '\u115f',
  '\u17b4',
  '\u180b',
  '\u3164',
  '\uffa0',
  '\u2800',
  '\u{1d159}',
  '\u{16fe4}',
  '\u{13441}',
  '\u{13442}',
];
/** Parts of emoji, without an emoji to which they belong. */
const EMOJI_PARTS = [
  '\u200d',
  '\ufe0f',
  '\ufe0e',
  '\u{1f3f4}\u{e0067}\u{e0062}\u{e007f}',
  '\u{1f4de}\u200d',
  '\u200d\u{1f4de}',
  '\u{1f4de}\ufe0f\ufe0f',
];
const CONTROL = ['\u0000', '\u0007', '\n', '\u007f', '\u0085', '\u009f'];
const SEPARATORS = ['\u2028', '\u2029'];
const LONE_SURROGATES = ['\ud800', '\udc00'];
const NON_STRINGS = [5, 6505550101, true, {}, [], ['211']];

const insertIntoText = (character: string) => `650-555${character}0101`;
const NOT_VISIBLE = [
  ...INVISIBLE,
  ...BLANK,
  ...EMOJI_PARTS,
  ...CONTROL,
  ...SEPARATORS,
  ...LONE_SURROGATES,
].map(insertIntoText);

const INVALID_VALUES: Record<string, unknown[]> = {
  digits: [
    ...NON_STRINGS,
    null,
    '',
    '   ',
    '\t',
    'call us',
    'x',
    '—',
    '4'.repeat(256),
    '📞',
    ...NOT_VISIBLE,
    '\ufeff211',
    '6\ufe0f5\ufe0f0',
  ],
  phone_type: [...NON_STRINGS, 'f'.repeat(256), '\ufeff', ...BLANK, ...NOT_VISIBLE],
  is_primary: ['true', 'false', '', 1, 0, null, [], {}],
};

describe.each(OWNER_CASES)('A phone of %s', (_, type) => {
  let owner: string;
  let phone: Phone;

  beforeAll(async () => {
    owner = await createOwner(type);
    phone = await createPhone(owner);
  });

  describe.each(Object.entries(INVALID_VALUES))('is rejected with a field error for %s', (field, values) => {
    it.each(values.map((value) => [JSON.stringify(value), value]))('when it is %s', async (_, value) => {
      const body = { digits: '211', phone_type: 'main', is_primary: false, [field]: value };
      expectFieldErrors(await request('POST', `${owner}/phones`, body), { pointer: `/${field}` });
      expectFieldErrors(await request('PUT', `${owner}/phones/${phone.id}`, body), { pointer: `/${field}` });
      expect(await listPhones(owner)).toEqual([phone]);
    });
  });

  it('requires digits when it is created', async () => {
    for (const body of [{}, { phone_type: 'main', is_primary: true }]) {
      expectFieldErrors(await request('POST', `${owner}/phones`, body), {
        pointer: '/digits',
        detail: 'is required',
      });
    }
    expect(await listPhones(owner)).toEqual([phone]);
  });

  it('is rejected with all its field errors at once', async () => {
    const body = { digits: 'none', phone_type: 7, is_primary: 'yes', extension: 307 };
    for (const response of [
      await request('POST', `${owner}/phones`, body),
      await request('PUT', `${owner}/phones/${phone.id}`, body),
    ]) {
      expectFieldErrors(
        response,
        { pointer: '/digits', detail: 'must contain at least one digit' },
        { pointer: '/phone_type', detail: 'must be a string or null' },
        { pointer: '/is_primary', detail: 'must be true or false' },
        { pointer: '/extension', detail: 'is not a known field' },
      );
    }
  });

  it.each([
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'then',
    'owner_id',
    'organization_id',
    '',
    'Digits',
  ])('is rejected with a field error for the unknown field "%s"', async (field) => {
    const body = `{ "digits": "211", ${JSON.stringify(field)}: { "is_primary": true } }`;
    const fieldError = { pointer: `/${field}`, detail: 'is not a known field' };
    expectFieldErrors(await request('POST', `${owner}/phones`, body), fieldError);
    expectFieldErrors(await request('PUT', `${owner}/phones/${phone.id}`, body), fieldError);
    expect(await listPhones(owner)).toEqual([phone]);
  });

  it('is rejected with the first 20 field errors and the number of the others', async () => {
    const unknown = Array.from({ length: 29 }, (_, number): [string, number] => [`field_${number}`, number]);
    const response = await request<{ errors: object[] }>('POST', `${owner}/phones`, {
      digits: 'call us',
      ...Object.fromEntries(unknown),
    });
    expectProblem(response, 400, 'The body is invalid; see errors. Errors that are not listed: 10.');
    expect(response.body.errors).toHaveLength(20);
  });

  it('is rejected when its body has a field whose name is very long, without repeating it', async () => {
    const detail = 'The body has a name of more than 255 characters, so it is not a known one.';
    expectProblem(await request('POST', `${owner}/phones`, { ['~'.repeat(60_000)]: 1 }), 400, detail);
  });

  it('is rejected when its body has more than 50 fields', async () => {
    const names = Array.from({ length: 3000 }, (_, number) => `field_${number}`);
    const toBody = (count: number) => Object.fromEntries(names.slice(0, count).map((name) => [name, 1]));
    const detail = 'The body has 3000 fields, but at most 50 are allowed.';
    expectProblem(await request('POST', `${owner}/phones`, toBody(3000)), 400, detail);
    expectProblem(await request('PUT', `${owner}/phones/${phone.id}`, toBody(3000)), 400, detail);
    expectProblem(await request('POST', `${owner}/phones`, toBody(51)), 400, detail.replace('3000', '51'));
    // With one field less, each of them is an error, and digits is missing.
    expectProblem(
      await request('POST', `${owner}/phones`, toBody(50)),
      400,
      'The body is invalid; see errors. Errors that are not listed: 31.',
    );
  });

  it('is rejected with a field error for a list of any length', async () => {
    for (const digits of [['211'], Array(30_000).fill(1)]) {
      expectFieldErrors(await request('POST', `${owner}/phones`, { digits }), { pointer: '/digits' });
    }
  });

  it('is rejected with a field error whose pointer is escaped as in JSON Pointer', async () => {
    expectFieldErrors(await request('POST', `${owner}/phones`, { digits: '211', 'a/b~c': 1 }), {
      pointer: '/a~1b~0c',
    });
  });
});

describe('Text in a phone', () => {
  let owner: string;

  beforeAll(async () => {
    owner = await createOwner('organization');
  });

  it.each([
    '925-308-7507 x 307',
    '1-800-GO-FEDEX 1',
    '711',
    '+44 20 7946 0018',
    '٠١٢٣ ٤٥٦',
    '650-555-0101 (español)',
    '📞 211',
    "211'); DROP TABLE phones; --",
    '4'.repeat(255),
    '📞'.repeat(254) + '1',
    '☎\ufe0f 211, ⚡\ufe0f 311, 1\ufe0f\u20e3',
    '👩‍👩‍👧 👩🏽‍⚕️ ❤️‍🔥 🏳️‍🌈 🏳‍🌈 🇬🇧 1',
    'e\u0301 1',
  ])('is stored unchanged: %s', async (digits) => {
    expect(await createPhone(owner, { digits, phone_type: digits })).toMatchObject({
      digits,
      phone_type: digits,
    });
  });

  it('is stored without surrounding white space', async () => {
    expect(
      await createPhone(owner, { digits: ' \t\u00a0\u3000211\n', phone_type: '\r\n main ' }),
    ).toMatchObject({
      digits: '211',
      phone_type: 'main',
    });
  });

  it('is stored as null when it is a blank phone_type', async () => {
    for (const phone_type of ['', '   ', '\u3000', null]) {
      expect(await createPhone(owner, { phone_type })).toMatchObject({ phone_type: null });
    }
  });

  it('is either stored without changes or rejected with 400', async () => {
    const phone = await createPhone(owner);
    const path = `${owner}/phones/${phone.id}`;
    const emoji = fc.constantFrom('📞', '☎\ufe0f', '👩🏽', '👩‍👧', '👩🏽‍⚕\ufe0f', '5\ufe0f\u20e3');
    const invisible = fc.constantFrom(...NOT_VISIBLE, ...BLANK, '5\ufe0f', '👩\u200d5');
    const visible = fc
      .string({ unit: 'binary', maxLength: 1 })
      .filter((text) => !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{DI}]/u.test(text) && !BLANK.includes(text));
    const text = fc.array(
      fc.oneof(
        { weight: 8, arbitrary: fc.record({ part: visible, isValid: fc.constant(true) }) },
        { weight: 4, arbitrary: fc.record({ part: emoji, isValid: fc.constant(true) }) },
        { weight: 1, arbitrary: fc.record({ part: invisible, isValid: fc.constant(false) }) },
      ),
      { maxLength: 10 },
    );
    await fc.assert(
      fc.asyncProperty(text, text, async (...texts) => {
        const [digits = '', phone_type = ''] = texts.map((parts) => parts.map(({ part }) => part).join(''));
        const response = await request<Phone>('PUT', path, { digits, phone_type });
        const isValid = texts.flat().every(({ isValid }) => isValid) && /\p{Nd}/u.test(digits);
        expect(response.status).toBe(isValid ? 200 : 400);
        if (response.status === 200) {
          expect(response.body).toMatchObject({
            digits: digits.trim(),
            phone_type: phone_type.trim() || null,
          });
        }
      }),
      { numRuns: 300 },
    );
  });
});

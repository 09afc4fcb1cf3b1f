import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectFieldErrors, request } from './support/api.js';
import { createOwner, createPhone, listPhones, OWNER_TYPES, type Phone } from './support/owners.js';

const INVISIBLE = ['\u200b', '\u202e', '\u2066', '\ufeff', '\u00ad', '\u2060', '\u{e0001}'];
const CONTROL = ['\u0000', '\u0007', '\n', '\u007f', '\u0085', '\u009f'];
const SEPARATORS = ['\u2028', '\u2029'];
const LONE_SURROGATES = ['\ud800', '\udc00'];
const NO_STRINGS = [5, 6505550101, true, {}, [], ['211']];

const inText = (character: string) => `650-555${character}0101`;
const UNSEEN = [...INVISIBLE, ...CONTROL, ...SEPARATORS, ...LONE_SURROGATES].map(inText);

const REFUSED: Record<string, unknown[]> = {
  digits: [
    ...NO_STRINGS,
    null,
    '',
    '   ',
    '\t',
    'call us',
    'x',
    '—',
    '4'.repeat(256),
    '📞',
    ...UNSEEN,
    '\ufeff211',
  ],
  phone_type: [...NO_STRINGS, 'f'.repeat(256), '\ufeff', ...UNSEEN],
  is_primary: ['true', 'false', '', 1, 0, null, [], {}],
};

describe.each(OWNER_TYPES)('a phone of an %s', (type) => {
  let owner: string;
  let phone: Phone;

  beforeAll(async () => {
    owner = await createOwner(type);
    phone = await createPhone(owner);
  });

  describe.each(Object.entries(REFUSED))('is refused for its %s', (field, values) => {
    it.each(values.map((value) => [JSON.stringify(value), value]))('when it is %s', async (_, value) => {
      const body = { digits: '211', phone_type: 'main', is_primary: false, [field]: value };
      expectFieldErrors(await request('POST', `${owner}/phones`, body), { pointer: `/${field}` });
      expectFieldErrors(await request('PUT', `${owner}/phones/${phone.id}`, body), { pointer: `/${field}` });
      expect(await listPhones(owner)).toEqual([phone]);
    });
  });

  it('needs digits when it is new', async () => {
    for (const body of [{}, { phone_type: 'main', is_primary: true }]) {
      expectFieldErrors(await request('POST', `${owner}/phones`, body), {
        pointer: '/digits',
        detail: 'is required',
      });
    }
    expect(await listPhones(owner)).toEqual([phone]);
  });

  it('is refused with all its faults at once', async () => {
    const body = { digits: 'none', phone_type: 7, is_primary: 'yes', extension: 307 };
    for (const answer of [
      await request('POST', `${owner}/phones`, body),
      await request('PUT', `${owner}/phones/${phone.id}`, body),
    ]) {
      expectFieldErrors(
        answer,
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
  ])('is refused for the unknown field "%s", by name', async (field) => {
    const body = `{ "digits": "211", ${JSON.stringify(field)}: { "is_primary": true } }`;
    const fault = { pointer: `/${field}`, detail: 'is not a known field' };
    expectFieldErrors(await request('POST', `${owner}/phones`, body), fault);
    expectFieldErrors(await request('PUT', `${owner}/phones/${phone.id}`, body), fault);
    expect(await listPhones(owner)).toEqual([phone]);
  });

  it('is pointed at as JSON Pointer says', async () => {
    expectFieldErrors(await request('POST', `${owner}/phones`, { digits: '211', 'a/b~c': 1 }), {
      pointer: '/a~1b~0c',
    });
  });
});

describe('text is kept', () => {
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
    'e\u0301 1',
  ])('character for character: %s', async (digits) => {
    expect(await createPhone(owner, { digits, phone_type: digits })).toMatchObject({
      digits,
      phone_type: digits,
    });
  });

  it('without the white space around it', async () => {
    expect(
      await createPhone(owner, { digits: ' \t\u00a0\u3000211\n', phone_type: '\r\n main ' }),
    ).toMatchObject({
      digits: '211',
      phone_type: 'main',
    });
  });

  it('as null when a phone_type is blank', async () => {
    for (const phone_type of ['', '   ', '\u3000', null]) {
      expect(await createPhone(owner, { phone_type })).toMatchObject({ phone_type: null });
    }
  });

  it('or refused, and never changed, whatever it is', async () => {
    const phone = await createPhone(owner);
    const path = `${owner}/phones/${phone.id}`;
    const text = fc.string({
      unit: fc.oneof(fc.constantFrom(...UNSEEN), fc.string({ unit: 'binary', maxLength: 1 })),
    });
    await fc.assert(
      fc.asyncProperty(text, text, async (digits, phone_type) => {
        const answer = await request<Phone>('PUT', path, { digits, phone_type });
        const visible = (value: string) => /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]*$/u.test(value);
        const accepted = visible(digits.trim()) && visible(phone_type.trim()) && /\p{Nd}/u.test(digits);
        expect(answer.status).toBe(accepted && !`${digits}${phone_type}`.includes('\ufeff') ? 200 : 400);
        if (answer.status === 200) {
          expect(answer.body).toMatchObject({ digits: digits.trim(), phone_type: phone_type.trim() || null });
        }
      }),
      { numRuns: 300 },
    );
  });
});

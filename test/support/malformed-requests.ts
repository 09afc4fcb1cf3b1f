import fc from 'fast-check';
import type { Transmission } from './raw-http.js';

/** The name in every smuggled request. No organization may ever have it. */
export const SMUGGLED = 'Smuggled in';

/** Bytes to send over one connection. Their kind says how many responses must follow. */
export class MalformedTransmission implements Transmission {
  constructor(
    readonly kind: 'request' | 'pipeline' | 'garbled' | 'smuggling' | 'cut',
    readonly bytes: Buffer,
    readonly methods: string[],
    readonly pieces: number,
    readonly then: Transmission['then'],
  ) {}

  toString(): string {
    return `\n  ${this.kind}, ${this.pieces} pieces, then ${this.then}: ${JSON.stringify(this.bytes.toString('latin1'))}`;
  }
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS', 'PROPFIND', 'TRACE', 'QUERY'];

const key = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 30 }).map(String) },
  fc.constantFrom('0', '-1', '+1', '01', '1.5', '1e3', '0x1', '2147483647', '2147483648', '9'.repeat(400)),
  fc.constantFrom('harbor', 'Harbor', 'harbor-2', 'null', 'NaN', '__proto__', 'constructor', '%EF%BC%91'),
  fc.constantFrom(
    '%00',
    '%',
    '%zz',
    '%C3%28',
    '%2F',
    '%2e%2e',
    '..',
    '.',
    '*',
    "'%20OR%201=1--",
    'a'.repeat(9000),
  ),
  fc.string({ unit: 'grapheme' }).map((text) => encodeURIComponent(text)),
);
const owner = fc.oneof(
  key.map((id) => `/v1/organizations/${id}`),
  fc.tuple(key, fc.constantFrom('opportunities', 'locations'), key).map(([organization, type, id]) => {
    return `/v1/organizations/${organization}/${type}/${id}`;
  }),
);
const path = fc.oneof(
  { weight: 4, arbitrary: owner.map((start) => `${start}/phones`) },
  { weight: 4, arbitrary: fc.tuple(owner, key).map(([start, id]) => `${start}/phones/${id}`) },
  { weight: 2, arbitrary: owner },
  key.map((id) => `/v1/organizations/${id}/opportunities`),
  key.map((id) => `/v1/organizations/${id}/locations`),
  key.map((id) => `/v1/clients/${id}`),
  fc.constantFrom(
    '/v1/organizations',
    '/v1/clients',
    '/health/ready',
    '/docs',
    '/docs/',
    '/docs-json',
    '/',
    '//',
  ),
  fc.array(key, { maxLength: 6 }).map((segments) => `/${segments.join('/')}`),
);
const query = fc.oneof(
  { weight: 4, arbitrary: fc.constant('') },
  fc
    .tuple(fc.constantFrom('page', 'per_page', 'api_key', 'page[]', '__proto__', ''), key)
    .map((pair) => `?${pair.join('=')}`),
  fc.constantFrom(
    '?',
    '?page=1&page=2',
    '?page=2147483647&per_page=100',
    '?%',
    '?page=%00',
    `?q=${'x'.repeat(9000)}`,
  ),
);

const text = fc.oneof(
  fc.constantFrom(
    '650-555-0101',
    'fax',
    '',
    ' ',
    '\0',
    '\ud800',
    '\u202e211',
    '\u200b211',
    '٢١١',
    '👩‍👩‍👧 1',
    '1'.repeat(256),
  ),
  fc.string({ unit: 'binary' }),
);
const value = fc.oneof(
  { weight: 4, arbitrary: text },
  fc.constantFrom(null, true, false, 0, -0, 1, 1e308, 2 ** 53, [], {}),
  fc.jsonValue(),
);
const field = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('digits', 'phone_type', 'is_primary', 'name', 'title', 'id') },
  fc.constantFrom('__proto__', 'constructor', 'toString', '', 'slug', 'Digits', 'organizations'),
  fc.string(),
);
const json = fc.oneof(
  fc.constantFrom(
    { digits: '211' },
    { name: 'Harbor' },
    { title: 'Lunch' },
    { digits: '711', is_primary: true },
  ),
  fc.array(fc.tuple(field, value), { maxLength: 5 }).map((entries) => Object.fromEntries(entries) as object),
  value,
);
const body = fc.oneof(
  { weight: 6, arbitrary: json.map((content) => Buffer.from(JSON.stringify(content))) },
  fc
    .constantFrom(
      '',
      '{',
      '[]',
      '{"digits":1e999}',
      '{"digits":"1","digits":"2"}',
      '\ufeff{}',
      '{"digits":NaN}',
    )
    .map((raw) => Buffer.from(raw)),
  fc
    .constantFrom(
      `{"digits":${'['.repeat(9000)}${']'.repeat(9000)}}`,
      '{"a":'.repeat(9000),
      `{"digits":"${'1'.repeat(70_000)}"}`,
    )
    .map((raw) => Buffer.from(raw)),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
);

const HEADERS = [
  'Accept',
  'Authorization',
  'X-API-Key',
  'Content-Type',
  'Content-Encoding',
  'If-Match',
  'If-None-Match',
  'Idempotency-Key',
  'Range',
  'Origin',
  'Access-Control-Request-Method',
  'X-Forwarded-For',
  'Upgrade',
  'Cookie',
  'Expect',
  'X-HTTP-Method-Override',
  'Accept-Version',
  '__proto__',
  'X-Large',
];

/** Text that is allowed in a header (RFC 9110, section 5.5). */
const headerText = fc.string({
  unit: fc
    .integer({ min: 0x20, max: 0xff })
    .filter((code) => code !== 0x7f)
    .map((code) => String.fromCharCode(code)),
});
const header = fc
  .tuple(
    fc.constantFrom(...HEADERS),
    fc.oneof(
      headerText,
      fc.constantFrom(
        '*',
        '"1"',
        'W/"1"',
        '"1.1", "2.1"',
        'Bearer x',
        'Bearer',
        'application/json',
        'text/plain',
        'gzip',
      ),
      fc.constantFrom(
        'application/json; charset=utf-16',
        'multipart/form-data',
        'websocket',
        'null',
        'x'.repeat(10_000),
        'x'.repeat(20_000),
      ),
    ),
  )
  .map((pair) => pair.join(': '));

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** A syntactically valid HTTP request, which the service may have to reject. */
const request = fc
  .record({
    method: fc.constantFrom(...METHODS, 'GET', 'POST', 'PUT', 'DELETE', 'POST', 'POST'),
    target: fc.tuple(path, query).map((parts) => parts.join('')),
    headers: fc.array(header, { maxLength: 3 }),
    isJson: fc.integer({ max: 9, min: 0 }).map((dice) => dice > 0),
    body,
    isChunked: fc.boolean(),
    isLast: fc.integer({ max: 9, min: 0 }).map((dice) => dice === 0),
  })
  .map(({ method, target, headers, isJson, body, isChunked, isLast }) => {
    const lines = [`${method} ${target} HTTP/1.1`, 'Host: 127.0.0.1', ...headers];
    if (isLast) lines.push('Connection: close');
    if (isJson) lines.push('Content-Type: application/json');
    let content: Buffer[] = [body];
    if (isChunked && body.length > 0) {
      lines.push('Transfer-Encoding: chunked');
      content = [latin1(`${body.length.toString(16)}\r\n`), body, latin1('\r\n0\r\n\r\n')];
    } else {
      lines.push(`Content-Length: ${body.length}`);
    }
    return { method, bytes: Buffer.concat([latin1(`${lines.join('\r\n')}\r\n\r\n`), ...content]) };
  });

const pieces = fc.constantFrom(1, 1, 1, 2, 5, 20);

const single = fc
  .tuple(request, pieces, fc.constantFrom('wait' as const, 'end' as const))
  .map(
    ([{ method, bytes }, pieces, then]) =>
      new MalformedTransmission('request', bytes, [method], pieces, then),
  );

const pipeline = fc
  .tuple(fc.array(request, { minLength: 2, maxLength: 4 }), pieces)
  .map(([requests, pieces]) => {
    const methods = requests.map(({ method }) => method);
    return new MalformedTransmission(
      'pipeline',
      Buffer.concat(requests.map(({ bytes }) => bytes)),
      methods,
      pieces,
      'end',
    );
  });

/** A request with bytes changed, added or removed. */
const garbled = fc
  .tuple(
    request.filter(({ method }) => method !== 'HEAD'),
    fc.array(
      fc.tuple(
        fc.nat(),
        fc.constantFrom('change', 'add', 'cut'),
        fc.uint8Array({ minLength: 1, maxLength: 8 }),
      ),
      { minLength: 1, maxLength: 3 },
    ),
    pieces,
  )
  .map(([{ bytes }, changes, pieces]) => {
    let garbledBytes = bytes;
    for (const [position, change, added] of changes) {
      const at = position % (garbledBytes.length + 1);
      const after =
        change === 'cut' ? Buffer.alloc(0) : garbledBytes.subarray(change === 'add' ? at : at + added.length);
      garbledBytes = Buffer.concat([
        garbledBytes.subarray(0, at),
        change === 'cut' ? Buffer.alloc(0) : added,
        after,
      ]);
    }
    return new MalformedTransmission('garbled', garbledBytes, [], pieces, 'end');
  });

const hiddenBody = JSON.stringify({ name: SMUGGLED });
const hidden = `POST /v1/organizations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${hiddenBody.length}\r\n\r\n${hiddenBody}`;

/** A request that contains a second one for a parser that determines the length differently. */
const smuggling = fc
  .tuple(
    fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'),
    path.filter((target) => target.length < 8000),
    fc.constantFrom(
      ['Content-Length: 5', 'Transfer-Encoding: chunked'],
      ['Transfer-Encoding: chunked', 'Content-Length: 5'],
      ['Content-Length: 5', 'Content-Length: 0'],
      ['Content-Length: 5, 0'],
      ['Content-Length: +5'],
      ['Content-Length: 0x5'],
      ['Content-Length : 5'],
      ['Content-Length: -5'],
      ['Transfer-Encoding : chunked'],
      ['Transfer-Encoding: chunked, identity'],
      ['Transfer-Encoding: gzip, chunked'],
      ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
      ['Transfer-Encoding: xchunked'],
      ['Transfer-Encoding: identity'],
      ['Host: y', 'Transfer-Encoding: chunked'],
    ),
    pieces,
  )
  .map(([method, target, lengths, pieces]) => {
    const head = [
      `${method} ${target} HTTP/1.1`,
      'Host: localhost',
      'Content-Type: application/json',
      ...lengths,
    ].join('\r\n');
    return new MalformedTransmission(
      'smuggling',
      Buffer.from(`${head}\r\n\r\n0\r\n\r\n${hidden}`),
      [method],
      pieces,
      'end',
    );
  });

const cut = fc.tuple(request, fc.nat(), pieces).map(([{ method, bytes }, length, pieces]) => {
  return new MalformedTransmission(
    'cut',
    bytes.subarray(0, length % bytes.length),
    [method],
    pieces,
    'destroy',
  );
});

export const malformedTransmission: fc.Arbitrary<MalformedTransmission> = fc.oneof(
  { weight: 10, arbitrary: single },
  { weight: 2, arbitrary: pipeline },
  { weight: 4, arbitrary: garbled },
  { weight: 2, arbitrary: smuggling },
  { weight: 1, arbitrary: cut },
);

import { writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type DatabaseUrl, parseDatabaseUrl } from '../src/config/database-url.js';
import { newTemporaryDirectory } from './support/temporary-directory.js';

const directory = newTemporaryDirectory();
const notPem = join(directory, 'not-pem');
writeFileSync(notPem, 'nonsense');

describe('DATABASE_URL', () => {
  it.each<[string, Partial<DatabaseUrl>]>([
    [
      'postgres://user:pass@example.org:5433/phones',
      { host: 'example.org', port: 5433, user: 'user', password: 'pass', database: 'phones', ssl: false },
    ],
    ['postgresql://user@example.org', { host: 'example.org', port: 5432, user: 'user', database: 'user' }],
    ['postgres://example.org/phones', { user: userInfo().username, password: undefined, database: 'phones' }],
    ['postgres:///phones', { host: 'localhost', port: 5432, database: 'phones' }],
    ['postgres://u:a%25b%2Fc%40d@h/p%20q', { password: 'a%b/c@d', database: 'p q' }],
    ['postgres://u:a@b@h/d', { user: 'u', password: 'a@b', host: 'h' }],
    ['postgres://u@[::1]:5433/d', { host: '::1', port: 5433 }],
    ['postgres://u@/d?host=/run/postgresql', { host: '/run/postgresql', port: 5432, user: 'u' }],
    ['postgres://%2Frun%2Fpostgresql/d', { host: '/run/postgresql' }],
    ['postgres://u@/d?host=/run/postgresql&sslmode=require', { ssl: false }],
    [
      'postgres://a:b@c:1/d?host=h&port=2&user=u&password=p%26&dbname=n&application_name=x',
      { host: 'h', port: 2, user: 'u', password: 'p&', database: 'n', application_name: 'x' },
    ],
    ['postgres://h/d?schema=My%22app', { search_path: '"My""app"' }],
    ['postgres://h/d?search_path=app,public', { search_path: 'app,public' }],
    ['postgres://h/d?sslmode=disable&sslrootcert=/no/such', { ssl: false }],
    ['postgres://h/d?sslmode=require', { ssl: { rejectUnauthorized: true } }],
    ['postgres://h/d?sslmode=no-verify', { ssl: { rejectUnauthorized: false } }],
    ['postgres://h/d?ssl=true', { ssl: { rejectUnauthorized: true } }],
    ['postgres://h/d?ssl=false&port=', { ssl: false, port: 5432 }],
  ])('can be %s', (url, expected) => {
    expect(parseDatabaseUrl(url)).toMatchObject(expected);
  });

  it.each<[string, RegExp]>([
    ['', /^must be a URL such as postgres:/],
    ['mysql://h/secret', /^must be a URL such as/],
    ['"postgres://u:secret@h/d"', /^must be a URL such as/],
    ['postgres://u:12/secret@h/d', /^must be a URL such as .* percent-encoded$/],
    ['postgres://u:12?secret=1@h/d', /^must be a URL such as/],
    ['postgres://u:12#secret@h/d', /^must be a URL such as/],
    ['postgres://u:secret@::1/d', /^must be a URL such as/],
    ['postgres://u:secret%@h/d', /^contains a % that does not begin a percent-encoded character/],
    ['postgres://u:secret%E0@h/d', /^contains a %/],
    ['postgres://u:secret@h:0/d', /^must have a port from 1 to 65535$/],
    ['postgres://u:secret@h:65536/d', /^must have a port/],
    ['postgres://u:secret@h/d?port=x', /^must have a port/],
    ['postgres://u:secret@h/d?options=-c%20geqo%3Doff', /^must not contain options/],
    [
      'postgres://u:secret@h/d?sslmod=require',
      /^has the unknown parameter sslmod; it may have host, .*, sslkey$/,
    ],
    ['postgres://u:secret@h1,h2/d', /^must name only one host$/],
    ['postgres://u:secret@h/d?schema=a&search_path=b', /^must have only one of schema and search_path$/],
    ['postgres://u:secret@h/d?sslmode=prefer', /^must have an sslmode that is one of disable, no-verify, /],
    ['postgres://u:secret@h/d?ssl=on', /^must have ssl=true or ssl=false$/],
    ['postgres://u:secret@h/d?sslrootcert=/no/such', /^must have an sslrootcert that can be read: ENOENT/],
    [`postgres://u:secret@h/d?sslcert=${directory}`, /^must have an sslcert that can be read: EISDIR/],
    [`postgres://u:secret@h/d?sslrootcert=${notPem}`, /^must have an sslrootcert, .* that are PEM files: /],
    [`postgres://u:secret@h/d?sslkey=${notPem}`, /^must have an sslrootcert, .* that are PEM files: /],
  ])('cannot be %j', (url, message) => {
    let error: unknown;
    try {
      parseDatabaseUrl(url);
    } catch (thrown) {
      error = thrown;
    }
    expect(String(error)).toMatch(new RegExp(message.source.replace('^', '^Error: ')));
    expect(String(error)).not.toContain('secret');
  });
});

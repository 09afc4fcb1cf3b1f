import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { createSecureContext, type TlsOptions } from 'node:tls';

/** How to connect to a PostgreSQL server. */
export interface DatabaseUrl {
  /** A host name, an IP address, or the directory of a Unix socket. */
  host: string;
  port: number;
  user: string;
  password?: string;
  database: string;
  application_name?: string;
  /** The value of the session setting `search_path`; that of the server if absent. */
  search_path?: string;
  ssl: false | TlsOptions;
}

/**
 * The parts of a connection URI (PostgreSQL documentation, section 34.1.1.2). No `@` may follow the host, so that
 * the rest of a password that contains a `/` or `?` is not taken for a database or a parameter, and printed.
 */
const URL_FORMAT =
  /^postgres(?:ql)?:\/\/(?:([^:/?#]*)(?::([^/?#]*))?@)?(\[[\w:.%-]+\]|[^[\]:@/?#]*)(?::(\d*))?(?:\/([^@/?#]*))?(?:\?([^@#]*))?$/;

/**
 * The query parameters, named as in libpq except for `schema`, which names one schema, and `ssl`, which is true or
 * false.
 */
const PARAMETERS = [
  'host',
  'port',
  'user',
  'password',
  'dbname',
  'application_name',
  'schema',
  'search_path',
  'ssl',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
];

/** Not `allow` and `prefer`, as the driver cannot try again without TLS. */
const SSL_MODES = ['disable', 'no-verify', 'require', 'verify-ca', 'verify-full'];

type Parameters = Record<string, string | undefined>;

/**
 * Parses `DATABASE_URL`. As in libpq, the parameters of the query replace the other parts, the user is by default that
 * of the operating system, and the database by default has the name of the user.
 *
 * @returns the parts, with the contents of the files that it names
 * @throws Error that says what the URL must be. It does not repeat the URL, which may contain a password
 */
export function parseDatabaseUrl(url: string): DatabaseUrl {
  const match = URL_FORMAT.exec(url);
  if (match === null) {
    throw new Error(
      'must be a URL such as postgres://user:password@host:5432/database, in which special characters are percent-encoded',
    );
  }
  const [, user, password, host, port, dbname, query] = match;
  const parameters: Parameters = {};
  for (const [name, value] of Object.entries({ user, password, host, port, dbname })) {
    if (value) parameters[name] = decode(value);
  }
  parameters.host = parameters.host?.replace(/^\[(.*)\]$/, '$1');
  for (const [name, value] of parseQuery(query ?? '')) {
    if (name === 'options') {
      throw new Error('must not contain options, because the service sets those of its sessions');
    }
    if (!PARAMETERS.includes(name)) {
      throw new Error(`has the unknown parameter ${name}; it may have ${PARAMETERS.join(', ')}`);
    }
    if (value) parameters[name] = value;
  }
  return toDatabaseUrl(parameters);
}

function* parseQuery(query: string): Generator<[name: string, value: string]> {
  for (const parameter of query.split('&').filter(Boolean)) {
    const [name = '', ...value] = parameter.split('=');
    yield [decode(name), decode(value.join('='))];
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error('contains a % that does not begin a percent-encoded character; write %25 instead');
  }
}

function toDatabaseUrl(parameters: Parameters): DatabaseUrl {
  const { host = 'localhost', port = '5432', user = systemUser(), password } = parameters;
  if (host.includes(',')) throw new Error('must name only one host');
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    throw new Error('must have a port from 1 to 65535');
  }
  return {
    host,
    port: Number(port),
    user,
    password,
    database: parameters.dbname ?? user,
    application_name: parameters.application_name,
    search_path: toSearchPath(parameters),
    // As in libpq, a Unix socket is never encrypted.
    ssl: host.startsWith('/') ? false : toTlsOptions(parameters),
  };
}

function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    throw new Error('must name a user, as that of the process has no name');
  }
}

function toSearchPath({ schema, search_path }: Parameters): string | undefined {
  if (schema === undefined) return search_path;
  if (search_path !== undefined) throw new Error('must have only one of schema and search_path');
  return `"${schema.replaceAll('"', '""')}"`;
}

/** A certificate of the server is verified, with its host name, unless `sslmode` is `no-verify`. */
function toTlsOptions(parameters: Parameters): false | TlsOptions {
  const { ssl, sslmode, sslrootcert, sslcert, sslkey } = parameters;
  if (ssl !== undefined && !['true', 'false'].includes(ssl))
    throw new Error('must have ssl=true or ssl=false');
  const hasFiles = [sslrootcert, sslcert, sslkey].some((file) => file !== undefined);
  const mode = sslmode ?? (ssl === 'true' || (ssl === undefined && hasFiles) ? 'verify-full' : 'disable');
  if (!SSL_MODES.includes(mode)) {
    throw new Error(`must have an sslmode that is one of ${SSL_MODES.join(', ')}`);
  }
  if (mode === 'disable') return false;
  const [ca, cert, key] = ['sslrootcert', 'sslcert', 'sslkey'].map((name) => readFile(parameters, name));
  try {
    if (ca !== undefined) new X509Certificate(ca);
    createSecureContext({ cert, key });
  } catch (error) {
    throw new Error(
      `must have an sslrootcert, sslcert and sslkey that are PEM files: ${(error as Error).message}`,
      { cause: error },
    );
  }
  return {
    rejectUnauthorized: mode !== 'no-verify',
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
  };
}

function readFile(parameters: Parameters, name: string): string | undefined {
  const file = parameters[name];
  try {
    return file === undefined ? undefined : readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`must have an ${name} that can be read: ${(error as Error).message}`, { cause: error });
  }
}

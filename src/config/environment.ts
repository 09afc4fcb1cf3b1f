import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { applyDecorators } from '@nestjs/common';
import { registerAs } from '@nestjs/config';
import { plainToInstance, Transform } from 'class-transformer';
import { IsIn, IsOptional, IsString, Matches, ValidateBy, validateSync } from 'class-validator';
import { type CountryCode, getCountries } from '../dialing/phone-number-library.js';
import { IsInteger } from '../validation/integer.js';
import { parseDatabaseUrl } from './database-url.js';
import { findMisspelledSettings } from './misspelled-settings.js';
import { PACKAGE_DIRECTORY } from './package.js';
import { StartupError } from './startup-error.js';

export const KEY_MODES = ['never', 'writes', 'always'] as const;

/** When a request needs an API key: `never`, only for `writes` (reads are public), or `always`. */
export type KeyMode = (typeof KEY_MODES)[number];

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/i;

/** Whether a host, without port and brackets, is only reachable from this machine. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

/** Validates a comma-separated list. */
const IsListOf = (isItem: (value: unknown) => boolean, message: string) =>
  applyDecorators(
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' ? value.split(/\s*,\s*/) : value,
    ),
    ValidateBy({ name: 'isListOf', validator: { validate: isItem } }, { each: true, message }),
  );

/** All settings of the service, with their defaults. The environment variables have the same names. */
export class Environment {
  /** The TCP port to listen on, 0 to 65535; 0 lets the system pick one. */
  @IsInteger(0, 65_535)
  PORT = 3000;

  /** The address to listen on: an IP address or a host name. */
  @Matches(/^[\w.:-]+$/, { message: 'must be an IP address or a host name' })
  HOST = '127.0.0.1';

  /** The PostgreSQL server. If absent, the service uses the embedded database. */
  @IsOptional()
  @ValidateBy(
    { name: 'isDatabaseUrl', validator: { validate: (url) => databaseUrlError(url) === undefined } },
    { message: ({ value }) => databaseUrlError(value) ?? '' },
  )
  DATABASE_URL?: string;

  /** Where the embedded database keeps its files. A relative path is relative to `PACKAGE_DIRECTORY`. */
  @IsString()
  DATA_DIR = './data';

  /** The number of connections to the PostgreSQL server, 1 to 1000. The embedded database has one. */
  @IsInteger(1, 1000)
  DATABASE_POOL = 10;

  /** How long a request waits for a connection to the database, in milliseconds, 100 to 60,000. */
  @IsInteger(100, 60_000)
  DATABASE_CONNECT_TIMEOUT = 1500;

  /** How long one statement may take, in milliseconds, 100 to 60,000 (PostgreSQL's `statement_timeout`). */
  @IsInteger(100, 60_000)
  DATABASE_STATEMENT_TIMEOUT = 2000;

  /** How long a statement waits for a lock, in milliseconds, 100 to 60,000 (PostgreSQL's `lock_timeout`). */
  @IsInteger(100, 60_000)
  DATABASE_LOCK_TIMEOUT = 1500;

  /**
   * How long a request may take before the response is 503, or 408 if the request has not arrived, in milliseconds, 100
   * to 60,000.
   */
  @IsInteger(100, 60_000)
  REQUEST_TIMEOUT = 4500;

  /** When a request requires an API key. Must be set if `HOST` is not a loopback address. */
  @IsOptional()
  @IsIn(KEY_MODES, { message: `must be one of ${KEY_MODES.join(', ')}` })
  REQUIRE_API_KEY?: KeyMode;

  /** An API key of an admin, for the first start of a deployment: 32 to 255 characters of a bearer token (RFC 6750). */
  @IsOptional()
  @Matches(/^[\w.~+/=-]{32,255}$/, {
    message:
      'must be 32 to 255 letters, digits or any of -._~+/=, such as the output of ' +
      `node -p "crypto.randomBytes(32).toString('hex')"`,
  })
  ADMIN_API_KEY?: string;

  /**
   * The number of reads per minute of each client, and of each address without a key, 1 to 1,000,000. Unlimited if
   * absent.
   */
  @IsOptional()
  @IsInteger(1, 1_000_000)
  RATE_LIMIT_READS?: number;

  /** The number of writes per minute, likewise. */
  @IsOptional()
  @IsInteger(1, 1_000_000)
  RATE_LIMIT_WRITES?: number;

  /**
   * The hosts that requests may be for, besides loopback ones: host names and IP addresses without port, separated by
   * commas. If absent, those on a loopback `HOST` may only be for loopback ones, and others for any host.
   */
  @IsOptional()
  @IsListOf(isHost, 'must be host names or IP addresses, without port, separated by commas')
  ALLOWED_HOSTS?: string[];

  /**
   * The reverse proxies whose `X-Forwarded-For` and `X-Forwarded-Prefix` are trusted: addresses, subnets or the ranges
   * `loopback`, `linklocal` and `uniquelocal`, separated by commas. None if absent.
   */
  @IsOptional()
  @IsListOf(
    isProxy,
    'must be IP addresses, subnets such as 10.0.0.0/8, loopback, linklocal or uniquelocal, separated by commas',
  )
  TRUST_PROXY?: string[];

  /** The origins whose pages may call the API, separated by commas, or `*`. None if absent. */
  @IsOptional()
  @IsListOf(isOrigin, 'must be * or origins such as https://example.org, separated by commas')
  CORS_ORIGINS?: string[];

  /** The country of numbers that are written without a country calling code (ISO 3166-1 alpha-2). */
  @IsIn(getCountries(), {
    message: 'must be the two capital letters of a country with phone numbers (ISO 3166-1), such as US',
  })
  DEFAULT_COUNTRY: CountryCode = 'US';

  /** The least severe level that is logged. */
  @IsIn(LOG_LEVELS, { message: `must be one of ${LOG_LEVELS.join(', ')}` })
  LOG_LEVEL: (typeof LOG_LEVELS)[number] = 'info';
}

/**
 * Reads the settings from the environment of the process and, if they are not set there, from the `.env` file beside
 * package.json. An empty variable counts as not set, as Compose passes variables without a value.
 *
 * @returns the settings, validated, with defaults filled in
 * @throws StartupError naming each invalid setting and what it may be, or when `.env` cannot be read
 */
export function loadEnvironment(): Environment {
  loadEnvFile(join(PACKAGE_DIRECTORY, '.env'));
  // The driver would read the variables of libpq, such as PGSSLMODE, for everything that is not set.
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('PG')) Reflect.deleteProperty(process.env, name);
  }
  const names = settingNames();
  const stated = Object.entries(process.env).filter(([name, value]) => names.includes(name) && value !== '');
  const environment = plainToInstance(Environment, Object.fromEntries(stated), { exposeDefaultValues: true });
  const errors = validateSync(environment, { stopAtFirstError: true }).map(
    ({ property, constraints }) => `${property} ${Object.values(constraints ?? {}).join(', ')}`,
  );
  if (!isLoopback(environment.HOST) && environment.REQUIRE_API_KEY === undefined) {
    errors.push(`REQUIRE_API_KEY must be set (${KEY_MODES.join(', ')}) if HOST is not a loopback address`);
  }
  if (errors.length > 0) throw new StartupError(`Wrong settings: ${errors.join('; ')}.`);
  environment.DATA_DIR = resolve(PACKAGE_DIRECTORY, environment.DATA_DIR);
  return environment;
}

/**
 * @returns a warning about each variable that looks like a misspelled setting. `loadEnvironment` must be called first
 */
export function findSettingWarnings(): string[] {
  return findMisspelledSettings(Object.keys(process.env), settingNames()).map(
    ({ variable, setting }) => `${variable} is not a setting of the service. Did you mean ${setting}?`,
  );
}

export const environmentConfig = registerAs('environment', loadEnvironment);

function settingNames(): string[] {
  return Object.keys(new Environment());
}

/** Not `process.loadEnvFile`, which reports every file that it cannot read as missing. */
function loadEnvFile(file: string): void {
  if (!existsSync(file)) return;
  try {
    for (const [name, value] of Object.entries(parseEnv(readFileSync(file, 'utf8')))) {
      process.env[name] ??= value;
    }
  } catch (error) {
    throw new StartupError(`${file} cannot be read: ${(error as Error).message}.`);
  }
}

function databaseUrlError(url: unknown): string | undefined {
  try {
    parseDatabaseUrl(String(url));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function isHost(value: unknown): boolean {
  return isIP(String(value)) !== 0 || /^[\w-]+(\.[\w-]+)*$/.test(String(value));
}

function isProxy(value: unknown): boolean {
  const [address = '', prefix = '1', ...rest] = String(value).split('/');
  const bits = { 4: 32, 6: 128 }[isIP(address)] ?? 0;
  // Not /0, which would trust everybody.
  const isSubnet = rest.length === 0 && /^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= bits;
  return isSubnet || ['loopback', 'linklocal', 'uniquelocal'].includes(String(value));
}

function isOrigin(value: unknown): boolean {
  const origin = String(value);
  return origin === '*' || (URL.canParse(origin) && new URL(origin).origin === origin);
}

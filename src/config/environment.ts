import { existsSync } from 'node:fs';
import { registerAs } from '@nestjs/config';
import { plainToInstance } from 'class-transformer';
import { IsIn, IsOptional, IsString, Matches, ValidateBy, validateSync } from 'class-validator';
import { IsInteger } from '../validation/integer.js';
import { StartError } from './start-error.js';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/** Every setting of the service, with its default. The environment variables have the same names. */
export class Environment {
  /** The TCP port to listen on, 0 to 65535; 0 lets the system pick one. */
  @IsInteger(0, 65_535)
  PORT = 3000;

  /** The address to listen on: an IP address or a host name. */
  @Matches(/^[\w.:-]+$/, { message: 'must be an IP address or a host name' })
  HOST = '127.0.0.1';

  /** The PostgreSQL server to use; without it the service runs its own, embedded. */
  @IsOptional()
  @ValidateBy(
    { name: 'isPostgresUrl', validator: { validate: isPostgresUrl } },
    { message: 'must be a URL such as postgres://user@host:5432/database' },
  )
  DATABASE_URL?: string;

  /** Where the embedded database keeps its files. */
  @IsString()
  DATA_DIR = './data';

  /** Connections to the PostgreSQL server, 1 to 1000. The embedded database has one. */
  @IsInteger(1, 1000)
  DATABASE_POOL = 10;

  /**
   * That no request needs an API key: `never` is the only mode so far, and one that would not be enforced
   * is refused. It must be stated for a `HOST` beyond loopback.
   */
  @IsOptional()
  @IsIn(['never'], { message: 'must be never' })
  REQUIRE_API_KEY?: 'never';

  /** The least severe level that is logged. */
  @IsIn(LOG_LEVELS, { message: `must be one of ${LOG_LEVELS.join(', ')}` })
  LOG_LEVEL: (typeof LOG_LEVELS)[number] = 'info';
}

/**
 * Reads the settings from the process's environment and, for what is not set there, from a `.env` file.
 * An empty variable counts as unset, as Compose passes those that have no value.
 *
 * @returns the settings, validated, with defaults filled in
 * @throws StartError naming every wrong setting and what it may be
 */
export function loadEnvironment(): Environment {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const names = Object.keys(new Environment());
  const stated = Object.entries(process.env).filter(([name, value]) => names.includes(name) && value !== '');
  const environment = plainToInstance(Environment, Object.fromEntries(stated), { exposeDefaultValues: true });
  const faults = validateSync(environment, { stopAtFirstError: true }).map(
    ({ property, constraints }) => `${property} ${Object.values(constraints ?? {}).join(', ')}`,
  );
  if (!LOOPBACK.test(environment.HOST) && environment.REQUIRE_API_KEY === undefined) {
    faults.push('REQUIRE_API_KEY must be stated (never) to listen on a HOST beyond loopback');
  }
  if (faults.length > 0) throw new StartError(`Wrong settings: ${faults.join('; ')}.`);
  return environment;
}

export const environmentConfig = registerAs('environment', loadEnvironment);

function isPostgresUrl(value: unknown): boolean {
  return typeof value === 'string' && /^postgres(ql)?:\/\//.test(value) && URL.canParse(value);
}

import { describe, expect, it } from 'vitest';
import { Environment } from '../src/config/environment.js';
import { findMisspelledSettings } from '../src/config/misspelled-settings.js';

const SETTINGS = Object.keys(new Environment());

describe('A variable', () => {
  it.each([
    ['REQUIRE_APIKEY', 'REQUIRE_API_KEY'],
    ['REQUIRE_API_KEYS', 'REQUIRE_API_KEY'],
    ['require_api_key', 'REQUIRE_API_KEY'],
    ['DATABSE_URL', 'DATABASE_URL'],
    ['DATABASE_ULR', 'DATABASE_URL'],
    ['DATABASE_CONNECTION_TIMEOUT', 'DATABASE_CONNECT_TIMEOUT'],
    ['DATABASE_STATMENT_TIMEUOT', 'DATABASE_STATEMENT_TIMEOUT'],
    ['DATADIR', 'DATA_DIR'],
    ['ADMIN_APIKEY', 'ADMIN_API_KEY'],
    ['RATE_LIMIT_READ', 'RATE_LIMIT_READS'],
    ['TRUST-PROXY', 'TRUST_PROXY'],
    ['CORS_ORIGIN', 'CORS_ORIGINS'],
    ['LOGLEVEL', 'LOG_LEVEL'],
  ])('named %s is recognized as a misspelled %s', (variable, setting) => {
    expect(findMisspelledSettings([variable], SETTINGS)).toEqual([{ variable, setting }]);
  });

  it('of a usual environment is not mistaken for a setting', () => {
    const usual =
      'PATH HOME HOSTNAME HOSTTYPE HOSTS POST LOGNAME LOG LOG_FILE LANG NODE_ENV NODE_OPTIONS NODE_VERSION PWD SHELL ' +
      'XDG_DATA_HOME XDG_DATA_DIRS XDG_CONFIG_DIRS PGDATA PGDATABASE PGHOST PGPORT PGUSER API_KEY APP_KEY ADMIN_KEY ' +
      'POSTGRES_PASSWORD POSTGRES_USER POSTGRES_DB TEST_DATABASE_URL npm_config_loglevel npm_package_name NO_PROXY ' +
      'HTTP_PROXY KUBERNETES_PORT KUBERNETES_SERVICE_HOST PHONES_PORT PHONES_PORT_3000_TCP PHONES_SERVICE_HOST ' +
      'DATABASE_PORT DATABASE_HOST DATABASE_USER DATABASE_NAME DATABASE_SERVICE_HOST DATABASE_PORT_5432_TCP REDIS_URL';
    expect(findMisspelledSettings([...usual.split(' '), ...SETTINGS], SETTINGS)).toEqual([]);
  });
});

import { setTimeout } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { Pool, PoolConfig } from 'pg';
import { DataSource, type Migration, MigrationExecutor, QueryFailedError, TypeORMError } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { parseDatabaseUrl } from '../config/database-url.js';
import { type Environment, loadEnvironment } from '../config/environment.js';
import { StartupError } from '../config/startup-error.js';
import { Connection, discardUnusableConnections } from './connection-pool.js';
import { errorMessage, isConnectionFailure, postgresError } from './postgres-errors.js';
import type { EmbeddedDatabase } from './embedded/embedded-database.js';

/** How long a start waits for a server that cannot be reached yet, in milliseconds. */
const START_TIMEOUT = 30_000;

/** How much longer than the server the driver waits for the end of a statement, in milliseconds. */
const GRACE_PERIOD = 250;

/** How long a shutdown waits for the server to close the connections, in milliseconds. */
const CLOSE_TIMEOUT = 3000;

/**
 * Session settings, which override the defaults of the server. With READ COMMITTED, a statement sees what was committed
 * while it waited for a lock. With generic plans, each statement is planned once per connection; its best plan does not
 * depend on its parameters.
 */
const SESSION_SETTINGS = {
  default_transaction_isolation: 'read committed',
  plan_cache_mode: 'force_generic_plan',
};

/** The key of the advisory lock for migrations: an arbitrary number that nothing else in the service uses. */
const MIGRATION_LOCK = 2_110_411;

/** Finds those of the migrations `$1` that have not run. */
const FIND_PENDING_MIGRATIONS = `
  SELECT name FROM unnest($1::text[]) AS name WHERE name NOT IN (SELECT migrations.name FROM migrations)`;

/** SQLSTATE `cannot_connect_now` (the server is starting up) and `too_many_connections`. */
const TEMPORARY_ERRORS = ['57P03', '53300'];

/**
 * The data source of the service and of the TypeORM CLI. It connects to the server in `DATABASE_URL`, or else starts and
 * stops the embedded database.
 */
export class AppDataSource extends DataSource {
  private readonly log = new Logger(AppDataSource.name);
  private embedded?: EmbeddedDatabase;
  /** For log lines. */
  private description = '';

  /**
   * Connects, and waits for a server that is still starting.
   *
   * @throws StartupError when the database cannot be used
   */
  override async initialize(): Promise<this> {
    const environment = loadEnvironment();
    this.setOptions(await this.resolveDatabase(environment));
    this.description = describeDatabase(environment);
    const start = Date.now();
    for (let attempt = 1; ; attempt++) {
      try {
        await super.initialize();
        discardUnusableConnections(this.pool);
        return this;
      } catch (error) {
        // Such as a mistake in the entities.
        if (error instanceof TypeORMError && !(error instanceof QueryFailedError)) throw error;
        const isTemporary =
          isConnectionFailure(error) || TEMPORARY_ERRORS.includes(postgresError(error)?.code ?? '');
        const reason = `${this.description}: ${errorMessage(error)}`;
        if (!isTemporary || Date.now() > start + START_TIMEOUT) {
          throw new StartupError(`Cannot use the database ${reason}`, { cause: error });
        }
        if (attempt === 1) this.log.warn(`Waiting for the database ${reason}`);
        await setTimeout(1000);
      }
    }
  }

  /** The connection pool. The data source must be initialized. */
  get pool(): Pool {
    return (this.driver as PostgresDriver).master as Pool;
  }

  /** Closes the pool, and then the embedded database. A server that does not respond is not waited for. */
  override async destroy(): Promise<void> {
    try {
      await Promise.race([super.destroy(), setTimeout(CLOSE_TIMEOUT, undefined, { ref: false })]);
    } finally {
      await this.embedded?.close();
      this.embedded = undefined;
    }
  }

  /**
   * Runs the pending migrations. If several processes start at the same time, one runs them and the others wait for its
   * advisory lock. The migrations have a connection of their own, without time limits; closing it releases the lock.
   *
   * @throws StartupError when the database rejects a migration
   */
  override async runMigrations(options?: Parameters<DataSource['runMigrations']>[0]): Promise<Migration[]> {
    try {
      return await this.executePendingMigrations(options);
    } catch (error) {
      if (!postgresError(error) && !isConnectionFailure(error)) throw error;
      throw new StartupError(`Cannot migrate the database ${this.description}: ${errorMessage(error)}`, {
        cause: error,
      });
    }
  }

  /** @returns the names of the migrations of this build that have not run. There may be others, of a later build */
  async findPendingMigrations(): Promise<string[]> {
    const names = this.migrations.map(({ name }) => name);
    const pending = await this.query<{ name: string }[]>(FIND_PENDING_MIGRATIONS, [names]);
    return pending.map(({ name }) => name);
  }

  private async executePendingMigrations(
    options: Parameters<DataSource['runMigrations']>[0],
  ): Promise<Migration[]> {
    const extra: PoolConfig = { max: 1, options: (this.pool.options as PoolConfig).options };
    const dataSource = await new DataSource({ ...this.options, extra }).initialize();
    const queryRunner = dataSource.createQueryRunner();
    try {
      await queryRunner.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
      const executor = new MigrationExecutor(dataSource, queryRunner);
      executor.transaction = options?.transaction ?? 'all';
      executor.fake = options?.fake ?? false;
      return await executor.executePendingMigrations();
    } finally {
      await queryRunner.release();
      await dataSource.destroy();
    }
  }

  private async resolveDatabase(environment: Environment) {
    const { DATABASE_URL, DATA_DIR } = environment;
    const pool: PoolConfig = {
      Client: Connection,
      connectionTimeoutMillis: environment.DATABASE_CONNECT_TIMEOUT,
      idleTimeoutMillis: 0,
      max: environment.DATABASE_POOL,
      statement_timeout: environment.DATABASE_STATEMENT_TIMEOUT,
      lock_timeout: environment.DATABASE_LOCK_TIMEOUT,
      // If the service hangs or its machine is lost, its transactions must not block others.
      idle_in_transaction_session_timeout: environment.REQUEST_TIMEOUT,
      // In case the server does not respond at all.
      query_timeout: environment.DATABASE_STATEMENT_TIMEOUT + GRACE_PERIOD,
      keepAlive: true,
      options: toOptions(SESSION_SETTINGS),
    };
    if (DATABASE_URL !== undefined) {
      const { user, application_name, search_path, ...server } = parseDatabaseUrl(DATABASE_URL);
      const options = toOptions({ ...SESSION_SETTINGS, ...(search_path && { search_path }) });
      const named = application_name && { applicationName: application_name };
      return { ...server, username: user, ...named, extra: { ...pool, options } };
    }
    // Loaded only if it is used, as it is the largest part of the service.
    const embedded = await import('./embedded/embedded-database.js');
    this.embedded ??= await embedded.EmbeddedDatabase.open(DATA_DIR);
    return {
      host: '127.0.0.1',
      port: this.embedded.port,
      username: 'postgres',
      database: 'postgres',
      ssl: false,
      // PGlite has a single session, so a new connection must reset what a lost one left in it.
      extra: {
        ...pool,
        max: 1,
        verify: (client, done) => {
          client.query('DISCARD ALL', done);
        },
      } satisfies PoolConfig,
    };
  }
}

/** Writes session settings in the syntax of the startup parameter `options`, in which a backslash escapes a space. */
function toOptions(settings: Record<string, string>): string {
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value.replace(/[\s\\]/g, '\\$&')}`)
    .join(' ');
}

/** Describes the database for a log line, with the setting that names it, but without user and password. */
function describeDatabase({ DATABASE_URL, DATA_DIR }: Environment): string {
  if (DATABASE_URL === undefined) return `in ${DATA_DIR} (DATA_DIR)`;
  const { host, port, database } = parseDatabaseUrl(DATABASE_URL);
  const address = host.includes(':') ? `[${host}]` : host;
  return `at ${address}:${port}/${database} (DATABASE_URL)`;
}

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
 * Session settings, which override the defaults of the server, the database and the role. With READ COMMITTED, a
 * statement sees what was committed while it waited for a lock. With generic plans, each statement is planned once per
 * connection; its best plan does not depend on its parameters. The driver relies on the others, and sets
 * `client_encoding` itself.
 */
const SESSION_SETTINGS = {
  default_transaction_isolation: 'read committed',
  plan_cache_mode: 'force_generic_plan',
  DateStyle: 'ISO',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  standard_conforming_strings: 'on',
  bytea_output: 'hex',
};

/** The key of the advisory lock for migrations: an arbitrary number that nothing else in the service uses. */
const MIGRATION_LOCK = 2_110_411;

/**
 * Disables the time limits of the session that this version of PostgreSQL has, whatever the database and the role set.
 */
const DISABLE_TIME_LIMITS = `
  SELECT set_config(name, '0', false) FROM pg_settings
  WHERE name IN ('statement_timeout', 'lock_timeout', 'transaction_timeout',
    'idle_in_transaction_session_timeout', 'idle_session_timeout')`;

/** Finds those of the migrations `$1` that have not run. */
const FIND_PENDING_MIGRATIONS = `
  SELECT name FROM unnest($1::text[]) AS name WHERE name NOT IN (SELECT migrations.name FROM migrations)`;

/** Lists the permissions on the tables `$1` that the role does not have. */
const FIND_MISSING_PERMISSIONS = `
  SELECT format('%s on %s', string_agg(permission, ', '), table_name) AS missing
  FROM unnest($1::text[]) AS table_name, unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) AS permission
  WHERE NOT has_table_privilege(table_name, permission)
  GROUP BY table_name`;

/** SQLSTATE `cannot_connect_now` (the server is starting up) and `too_many_connections`. */
const TEMPORARY_ERRORS = ['57P03', '53300'];

/**
 * The data source of the service and of the TypeORM CLI. It connects to the server in `DATABASE_URL`, or else starts
 * and stops the embedded database.
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
    const start = performance.now();
    for (let attempt = 1; ; attempt++) {
      try {
        await super.initialize();
        discardUnusableConnections(this.pool);
        await this.checkDatabase();
        await this.renameDatabaseInMetadata();
        return this;
      } catch (error) {
        if (this.isInitialized) await super.destroy();
        // Such as a mistake in the entities.
        const isBug = error instanceof TypeORMError && !(error instanceof QueryFailedError);
        if (isBug || error instanceof StartupError) throw error;
        const isTemporary =
          isConnectionFailure(error) || TEMPORARY_ERRORS.includes(postgresError(error)?.code ?? '');
        const reason = `${this.description}: ${errorMessage(error)}`;
        if (!isTemporary || performance.now() > start + START_TIMEOUT) {
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
   * @throws StartupError when the database rejects a migration, or when the role may not read and write the tables
   */
  override async runMigrations(options?: Parameters<DataSource['runMigrations']>[0]): Promise<Migration[]> {
    try {
      const isPending =
        !(await this.hasTable('migrations')) || (await this.findPendingMigrations()).length > 0;
      // If there is nothing to do, the role does not need the permission to create tables.
      const executed = isPending ? await this.executePendingMigrations(options) : [];
      await this.checkPermissions();
      return executed;
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

  private async hasTable(name: string): Promise<boolean> {
    const [row] = await this.query<{ exists: boolean }[]>(
      `SELECT to_regclass(format('%I.%I', current_schema(), $1::text)) IS NOT NULL AS exists`,
      [name],
    );
    return row?.exists === true;
  }

  private async executePendingMigrations(
    options: Parameters<DataSource['runMigrations']>[0],
  ): Promise<Migration[]> {
    const [row] = await this.query<{ schema: string; can_create: boolean }[]>(
      `SELECT current_schema() AS schema, has_schema_privilege(current_schema(), 'CREATE') AS can_create`,
    );
    if (row?.can_create === false) {
      throw new StartupError(
        `Cannot migrate the database ${this.description}: the role must be granted CREATE on schema ${row.schema}`,
      );
    }
    const extra: PoolConfig = { max: 1, options: (this.pool.options as PoolConfig).options };
    const dataSource = await new DataSource({ ...this.options, extra }).initialize();
    const queryRunner = dataSource.createQueryRunner();
    try {
      await queryRunner.query(DISABLE_TIME_LIMITS);
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

  /** @throws StartupError when the encoding or the schema of the database is unusable */
  private async checkDatabase(): Promise<void> {
    const [row] = await this.query<{ encoding: string; search_path: string; schema: string | null }[]>(
      `SELECT current_setting('server_encoding') AS encoding, current_setting('search_path') AS search_path,
         current_schema() AS schema`,
    );
    if (row?.encoding !== 'UTF8') {
      throw new StartupError(
        `Cannot use the database ${this.description}: its encoding must be UTF8, not ${row?.encoding}`,
      );
    }
    if (row.schema === null) {
      throw new StartupError(
        `Cannot use the database ${this.description}: the role can use no schema of the search_path ${row.search_path}`,
      );
    }
  }

  /** @throws StartupError when the role may not read and write every table */
  private async checkPermissions(): Promise<void> {
    const tables = this.entityMetadatas.map(({ tableName }) => tableName);
    const missing = await this.query<{ missing: string }[]>(FIND_MISSING_PERMISSIONS, [tables]);
    if (missing.length > 0) {
      const list = missing.map((row) => row.missing).join(', ');
      throw new StartupError(`Cannot use the database ${this.description}: the role must be granted ${list}`);
    }
  }

  /**
   * Corrects the rows in which TypeORM stores the expressions of generated columns, with the names of the database and
   * the schema, which may be new after a restore. Only `migration:generate` reads them, so a role without the
   * permission, or a standby, does not need this.
   */
  private async renameDatabaseInMetadata(): Promise<void> {
    const isRenamed = '(database, schema) IS DISTINCT FROM (current_database(), current_schema())';
    if (!(await this.hasTable('typeorm_metadata'))) return;
    try {
      const renamed = await this.query<unknown[]>(`SELECT FROM typeorm_metadata WHERE ${isRenamed}`);
      if (renamed.length === 0) return;
      await this.query(
        `UPDATE typeorm_metadata SET database = current_database(), schema = current_schema() WHERE ${isRenamed}`,
      );
    } catch (error) {
      this.log.debug(`The table typeorm_metadata could not be corrected: ${errorMessage(error)}`);
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
      ...this.embedded.address,
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

import { setTimeout } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import pg, { type Pool, type PoolClient, type PoolConfig } from 'pg';
import { DataSource, type Migration, MigrationExecutor } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { type Environment, loadEnvironment } from '../config/environment.js';
import { StartupError } from '../config/startup-error.js';
import { isConnectionFailure, postgresError } from './postgres-errors.js';
import type { EmbeddedDatabase } from './embedded/embedded-database.js';

/** How long a start waits for a server that does not answer yet, in milliseconds. */
const START_TIMEOUT = 30_000;

/** How much longer than the server itself the driver waits for the end of a statement, in milliseconds. */
const GRACE_PERIOD = 250;

/** How long a shutdown waits for the server to close the connections, in milliseconds. */
const CLOSE_TIMEOUT = 3000;

/**
 * What holds for every session, whatever the server's defaults. The statements count on seeing what was committed while they
 * waited. And each of them is best done in the same way whatever its values are, so it is planned once for a connection.
 */
const SESSION_OPTIONS =
  '-c default_transaction_isolation=read\\ committed -c plan_cache_mode=force_generic_plan';

/** The key of the advisory lock under which migrations run: any number that nothing else here uses. */
const MIGRATION_LOCK = 2_110_411;

/** SQLSTATE `cannot_connect_now` (the server is starting up) and `too_many_connections`. */
const TEMPORARY_REFUSALS = ['57P03', '53300'];

/**
 * A data source that finds its database in the environment: the server of `DATABASE_URL`, else the
 * embedded one, which it starts and stops.
 */
export class AppDataSource extends DataSource {
  private readonly log = new Logger(AppDataSource.name);
  private embedded?: EmbeddedDatabase;

  /**
   * Connects, waiting for a server that is still starting.
   *
   * @throws StartError when there is no database to be had
   */
  override async initialize(): Promise<this> {
    const environment = loadEnvironment();
    this.setOptions(await this.findDatabase(environment));
    const start = Date.now();
    for (let attempt = 1; ; attempt++) {
      try {
        await super.initialize();
        discardDirtyConnections(this.pool);
        return this;
      } catch (error) {
        const refusal = postgresError(error);
        const unreachable = isConnectionFailure(error);
        if (!refusal && !unreachable) throw error;
        const worthWaiting = unreachable || TEMPORARY_REFUSALS.includes(refusal?.code ?? '');
        const reason = `${describeDatabase(environment)}: ${toMessage(error)}`;
        if (!worthWaiting || Date.now() > start + START_TIMEOUT) {
          throw new StartupError(`Cannot use the database ${reason}`);
        }
        if (attempt === 1) this.log.warn(`Waiting for the database ${reason}`);
        await setTimeout(1000);
      }
    }
  }

  /** The connections, once it is initialized. */
  get pool(): Pool {
    return (this.driver as PostgresDriver).master as Pool;
  }

  /** Closes the pool, and after it the embedded database. A server that does not answer any more is not waited for. */
  override async destroy(): Promise<void> {
    try {
      await Promise.race([super.destroy(), setTimeout(CLOSE_TIMEOUT, undefined, { ref: false })]);
    } finally {
      await this.embedded?.close();
      this.embedded = undefined;
    }
  }

  /**
   * Runs the pending migrations; of several processes that start at once, one does and the others wait for it.
   * This takes a connection of its own, without the time limits of those that serve requests, and with it goes the lock.
   */
  override async runMigrations(options?: Parameters<DataSource['runMigrations']>[0]): Promise<Migration[]> {
    const unlimited: PoolConfig = { max: 1 };
    const dataSource = await new DataSource({ ...this.options, extra: unlimited }).initialize();
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

  private async findDatabase(environment: Environment) {
    const { DATABASE_URL, DATA_DIR } = environment;
    const pool: PoolConfig = {
      Client: Connection,
      connectionTimeoutMillis: environment.DATABASE_CONNECT_TIMEOUT,
      idleTimeoutMillis: 0,
      max: environment.DATABASE_POOL,
      statement_timeout: environment.DATABASE_STATEMENT_TIMEOUT,
      lock_timeout: environment.DATABASE_LOCK_TIMEOUT,
      // Should the service freeze or its machine vanish, its transactions do not keep others waiting.
      idle_in_transaction_session_timeout: environment.REQUEST_TIMEOUT,
      // For a server that does not even say that the time is over.
      query_timeout: environment.DATABASE_STATEMENT_TIMEOUT + GRACE_PERIOD,
      keepAlive: true,
      options: SESSION_OPTIONS,
    };
    if (DATABASE_URL !== undefined) return { url: DATABASE_URL, extra: pool };
    // Loaded only where it is used: it is the largest part of the service.
    const embedded = await import('./embedded/embedded-database.js');
    this.embedded ??= await embedded.EmbeddedDatabase.open(DATA_DIR);
    return {
      host: '127.0.0.1',
      port: this.embedded.port,
      username: 'postgres',
      database: 'postgres',
      // PGlite has one session, so what a lost connection left in it is what the next one finds.
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

/**
 * A connection may be lost at any moment. Its statement fails then, or the pool forgets it; the event, which ends the
 * process where nobody listens, says nothing more.
 */
class Connection extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    this.on('error', () => undefined);
  }
}

/**
 * A connection that comes back in the middle of a statement, as after a time limit of the driver's own, or in a
 * transaction, is closed: nobody knows what its next user would find.
 */
function discardDirtyConnections(pool: Pool): void {
  pool.on('release', (_error, client) => {
    const { readyForQuery } = client as PoolClient & { readyForQuery: boolean };
    if (!readyForQuery || client.getTransactionStatus() !== 'I') void client.end();
  });
}

/** The database's name for a log line; never its user or password. */
function describeDatabase({ DATABASE_URL, DATA_DIR }: Environment): string {
  if (DATABASE_URL === undefined) return `in ${DATA_DIR}`;
  const { host, pathname } = new URL(DATABASE_URL);
  return `at ${host}${pathname}`;
}

/** One line, also for the error that Node.js gives when every address of a host refused and that has no message. */
function toMessage(error: unknown): string {
  const [first = error] = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  return first instanceof Error ? first.message : String(first);
}

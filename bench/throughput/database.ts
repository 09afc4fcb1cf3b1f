import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { PostgresqlServer } from '../../test/support/postgresql.js';
import { fill } from './data.js';
import { TargetProcess } from './target.js';

/** The script that starts the built service. */
export const SERVICE = 'dist/src/main.js';

/** The PostgreSQL server of `DATABASE_URL`, or a temporary one if that is not set. */
export class DatabaseServer {
  private readonly databases: string[] = [];

  private constructor(
    private readonly url: URL,
    private readonly temporary?: PostgresqlServer,
  ) {}

  static async open(): Promise<DatabaseServer> {
    const { DATABASE_URL } = process.env;
    if (DATABASE_URL) return new DatabaseServer(new URL(DATABASE_URL));
    const temporary = await PostgresqlServer.create('full');
    return new DatabaseServer(temporary.url, temporary);
  }

  /** Returns the version of the server and the size of its shared buffers, for the report. */
  async describe(): Promise<string> {
    const sql = `SELECT current_setting('server_version') AS version, current_setting('shared_buffers') AS buffers`;
    const { version, buffers } = await this.query(this.url.href, sql);
    return `PostgreSQL ${String(version)}, with ${String(buffers)} of shared buffers,`;
  }

  /**
   * Creates a database with the tables of the service and fills it with sample data.
   *
   * @returns the URL of the database
   */
  async createDatabase(organizations: number): Promise<string> {
    const name = `phones_bench_${randomBytes(6).toString('hex')}`;
    await this.query(this.url.href, `CREATE DATABASE ${name}`);
    this.databases.push(name);
    const { href } = Object.assign(new URL(this.url), { pathname: `/${name}` });
    // The service runs the migrations when it starts.
    await (await TargetProcess.start(SERVICE, { DATABASE_URL: href })).stop();
    const client = new pg.Client(href);
    await client.connect();
    await fill(client, organizations).finally(() => client.end());
    // Write everything to disk now, so that this does not happen during a measurement.
    await this.query(this.url.href, 'CHECKPOINT');
    return href;
  }

  /** Drops the databases that were created, or removes the temporary server. */
  async close(): Promise<void> {
    if (this.temporary !== undefined) return this.temporary.remove();
    for (const name of this.databases) await this.query(this.url.href, `DROP DATABASE ${name} WITH (FORCE)`);
  }

  private async query(url: string, sql: string): Promise<Record<string, unknown>> {
    const client = new pg.Client(url);
    await client.connect();
    const { rows } = await client.query<Record<string, unknown>>(sql).finally(() => client.end());
    return rows[0] ?? {};
  }
}

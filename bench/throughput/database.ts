import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { PostgresqlServer } from '../../test/support/postgresql.js';
import { Target } from './target.js';
import { fill } from './data.js';

export const SERVICE = 'dist/src/main.js';

/** The server of `DATABASE_URL`, else one of this run's own. */
export class Server {
  private readonly databases: string[] = [];

  private constructor(
    private readonly url: URL,
    private readonly own?: PostgresqlServer,
  ) {}

  static async find(): Promise<Server> {
    const { DATABASE_URL } = process.env;
    if (DATABASE_URL) return new Server(new URL(DATABASE_URL));
    const own = await PostgresqlServer.create('full');
    return new Server(own.url, own);
  }

  /** Which server it is, and how much of its tables it keeps in its own memory. */
  async description(): Promise<string> {
    const sql = `SELECT current_setting('server_version') AS version, current_setting('shared_buffers') AS buffers`;
    const { version, buffers } = await this.query(this.url.href, sql);
    return `PostgreSQL ${String(version)}, with ${String(buffers)} of shared buffers,`;
  }

  /**
   * Makes a database with the tables of the service, and fills it.
   *
   * @returns its URL
   */
  async createDatabase(organizations: number): Promise<string> {
    const name = `phones_bench_${randomBytes(6).toString('hex')}`;
    await this.query(this.url.href, `CREATE DATABASE ${name}`);
    this.databases.push(name);
    const { href } = Object.assign(new URL(this.url), { pathname: `/${name}` });
    // The service migrates it when it starts.
    await (await Target.start(SERVICE, { DATABASE_URL: href })).end();
    const client = new pg.Client(href);
    await client.connect();
    await fill(client, organizations).finally(() => client.end());
    // What was written is on the disk before anything is measured.
    await this.query(this.url.href, 'CHECKPOINT');
    return href;
  }

  async close(): Promise<void> {
    if (this.own !== undefined) return this.own.remove();
    for (const name of this.databases) await this.query(this.url.href, `DROP DATABASE ${name} WITH (FORCE)`);
  }

  private async query(url: string, sql: string): Promise<Record<string, unknown>> {
    const client = new pg.Client(url);
    await client.connect();
    const { rows } = await client.query<Record<string, unknown>>(sql).finally(() => client.end());
    return rows[0] ?? {};
  }
}

import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { EmbeddedDatabase } from '../src/database/embedded/embedded-database.js';
import { request } from './support/api.js';
import { newDataDirectory, SERVER } from './support/database.js';
import { createOwner, createPhone, listPhones, type Phone } from './support/owners.js';
import { send, Service } from './support/service.js';

/** The size of a segment of PostgreSQL's write-ahead log, in bytes. */
const SEGMENT_SIZE = 16 * 1024 * 1024;

/** Fills the current segment of the write-ahead log except for 1 MB, of which the next start uses a part. */
async function fillWriteAheadLog(dataDirectory: string): Promise<void> {
  const database = await EmbeddedDatabase.open(dataDirectory);
  const client = new pg.Client({ ...database.address, user: 'postgres', database: 'postgres' });
  await client.connect();
  for (;;) {
    const { rows } = await client.query<{ used: number }>(
      `SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint % ${SEGMENT_SIZE} AS used`,
    );
    const free = SEGMENT_SIZE - Number(rows[0]?.used);
    if (free < 1_100_000) break;
    const size = Math.min(free - 1_000_000, 1_000_000);
    await client.query(`SELECT pg_logical_emit_message(false, '', repeat('x', ${size}))`);
  }
  await client.end();
  await database.close();
}

describe.skipIf(SERVER !== undefined)('The embedded database', () => {
  it('does not mistake text for a panic of its engine', async () => {
    const owner = await createOwner('organization');
    const phone = await createPhone(owner, { phone_type: 'SPANIC' });
    await createPhone(owner, { digits: '1 VPANIC', phone_type: 'VPANIC' });
    for (let count = 0; count < 5; count += 1) expect((await listPhones(owner))[0]).toEqual(phone);
    expect(await request('GET', '/health/ready')).toMatchObject({ status: 200 });
  });

  it('ends the service with one line when its engine panics, and loses nothing that was acknowledged', async () => {
    const DATA_DIR = await newDataDirectory();
    await fillWriteAheadLog(DATA_DIR);
    const service = new Service({ DATA_DIR });
    let api = await service.listening();
    const { body: organization } = await send<{ id: number }>('POST', `${api}/organizations`, {
      name: 'Harbor',
    });
    const phones = (): string => `${api}/organizations/${organization.id}/phones`;

    // Without the directory of the write-ahead log, PostgreSQL panics once it needs the next segment.
    const log = join(DATA_DIR, 'postgresql', 'pg_wal');
    await rename(log, `${log}.away`);
    const acknowledged: Phone[] = [];
    for (;;) {
      const response = await send<Phone>('POST', phones(), {
        digits: String(acknowledged.length).padEnd(255, '0'),
      }).catch(() => undefined);
      if (response?.status !== 201) break;
      acknowledged.push(response.body);
    }
    const { code, output } = await service.end();
    expect(code).toBe(1);
    const lines = output.filter((line) => line.includes('The embedded database has failed'));
    expect(lines).toEqual([
      expect.stringContaining('(PostgreSQL panicked). Start the service again; committed data is not lost.'),
    ]);

    await rename(`${log}.away`, log);
    api = await new Service({ DATA_DIR }).listening();
    const { body: found } = await send<Phone[]>('GET', phones());
    expect(acknowledged.length).toBeGreaterThan(0);
    expect(found.slice(0, acknowledged.length)).toEqual(acknowledged);
  });
});

import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Pool } from 'pg';
import { expect, it } from 'vitest';
import { app, expectProblem, request } from './support/api.js';
import { databaseSettings, SERVER } from './support/database.js';
import { createOwner, createPhone, listPhones } from './support/owners.js';

it(
  'A phone whose text contains the word PANIC does not count as a failure of the embedded database',
  { skip: SERVER !== undefined },
  async () => {
    const owner = await createOwner('organization');
    const phone = await createPhone(owner, { phone_type: 'SPANIC' });
    await createPhone(owner, { digits: '1 VPANIC', phone_type: 'VPANIC' });
    for (let count = 0; count < 5; count += 1) expect((await listPhones(owner))[0]).toEqual(phone);
    expect(await request('GET', '/health/ready')).toMatchObject({ status: 200 });
  },
);

it(
  'The embedded database restarts after a crash and keeps all acknowledged writes',
  { skip: SERVER !== undefined },
  async () => {
    const owner = await createOwner('organization');
    const phone = await createPhone(owner);

    // Without its WAL directory, PostgreSQL panics when the open segment is full, as it does on a full disk.
    const walDirectory = join(databaseSettings().DATA_DIR ?? '', 'postgresql', 'pg_wal');
    await rename(walDirectory, `${walDirectory}.away`);
    const writeMegabyteOfWal = `SELECT pg_logical_emit_message(false, '', repeat('x', 1000000))`;
    await expect(
      (async () => {
        for (;;) await app.get(Pool).query(writeMegabyteOfWal);
      })(),
    ).rejects.toMatchObject({ severity: 'PANIC' });
    expectProblem(await request('GET', `${owner}/phones`), 503);
    expectProblem(await request('POST', `${owner}/phones`, { digits: '211' }), 503);
    expect(await request('GET', '/health/live')).toMatchObject({ status: 200 });
    expectProblem(await request('GET', '/health/ready'), 503);

    await rename(`${walDirectory}.away`, walDirectory);
    while ((await request('GET', '/health/ready')).status !== 200);
    expect(await listPhones(owner)).toEqual([phone]);
    await createPhone(owner);
    expect(await listPhones(owner)).toHaveLength(2);
  },
);

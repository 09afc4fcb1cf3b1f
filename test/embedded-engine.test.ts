import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Pool } from 'pg';
import { expect, it } from 'vitest';
import { app, expectProblem, request } from './support/api.js';
import { databaseSettings, SERVER } from './support/database.js';
import { createOwner, createPhone, listPhones } from './support/owners.js';

it(
  'a text that reads like a failure of the embedded database is none',
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
  'the embedded database starts again after it has failed, with all that was acknowledged',
  { skip: SERVER !== undefined },
  async () => {
    const owner = await createOwner('organization');
    const phone = await createPhone(owner);

    // Without its write-ahead log it panics, as it does on a full disk, once the part of it that is open is full.
    const log = join(databaseSettings().DATA_DIR ?? '', 'postgresql', 'pg_wal');
    await rename(log, `${log}.away`);
    const megabyte = `SELECT pg_logical_emit_message(false, '', repeat('x', 1000000))`;
    await expect(
      (async () => {
        for (;;) await app.get(Pool).query(megabyte);
      })(),
    ).rejects.toMatchObject({ severity: 'PANIC' });
    expectProblem(await request('GET', `${owner}/phones`), 503);
    expectProblem(await request('POST', `${owner}/phones`, { digits: '211' }), 503);
    expect(await request('GET', '/health/live')).toMatchObject({ status: 200 });
    expectProblem(await request('GET', '/health/ready'), 503);

    await rename(`${log}.away`, log);
    while ((await request('GET', '/health/ready')).status !== 200);
    expect(await listPhones(owner)).toEqual([phone]);
    await createPhone(owner);
    expect(await listPhones(owner)).toHaveLength(2);
  },
);

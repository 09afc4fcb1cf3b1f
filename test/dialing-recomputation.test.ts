import { Pool } from 'pg';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import dataSource from '../ormconfig.js';
import { dialingVersion } from '../src/dialing/dialed-number.js';
import type { CountryCode } from '../src/dialing/phone-number-library.js';
import { toDialingColumns } from '../src/phones/dialing-columns.js';
import { recomputePhones } from '../src/phones/phone.queries.js';
import { app, request, restart } from './support/api.js';
import { databaseSettings, SERVER } from './support/database.js';
import { createOwner, createPhone, type Phone } from './support/owners.js';
import { send, Service } from './support/service.js';

async function searchIds(number: string): Promise<number[]> {
  const { body } = await request<Phone[]>(
    'GET',
    `/v1/phones?number=${encodeURIComponent(number)}&per_page=100`,
  );
  return body.map(({ id }) => id);
}

/** Waits until the search finds exactly these phones. */
async function expectFound(number: string, ids: number[]): Promise<void> {
  await expect.poll(() => searchIds(number), { timeout: 60_000 }).toEqual(ids);
}

/** Waits until every phone was parsed under the rules for this country. */
async function expectAllComputed(country: CountryCode): Promise<void> {
  const listVersions = async () => {
    const rows = await dataSource.query<object[]>('SELECT DISTINCT dialing_version FROM phones');
    expect(rows).toEqual([{ dialing_version: dialingVersion(country) }]);
  };
  await vi.waitFor(listVersions, { timeout: 60_000 });
}

/** Inserts phones as a version of the service does that knows no numbers. @returns their IDs */
async function insertPhones(owner: string, digits: string, count = 1): Promise<number[]> {
  const rows = await dataSource.query<{ id: number }[]>(
    `INSERT INTO phones (owner_type, owner_id, digits, is_primary)
     SELECT 'organization', $1, $2, false FROM generate_series(1, $3) RETURNING id`,
    [Number(owner.split('/').at(-1)), digits, count],
  );
  return rows.map(({ id }) => id);
}

describe('A phone whose digits were changed by SQL', () => {
  it('is found by neither number until the next start, and then by the new one', async () => {
    const owner = await createOwner('organization');
    const { id } = await createPhone(owner, { digits: '212-555-0101' });
    await dataSource.query(`UPDATE phones SET digits = '212-555-0102' WHERE id = $1`, [id]);
    expect(await searchIds('212-555-0101')).toEqual([]);
    expect(await searchIds('212-555-0102')).toEqual([]);
    const { body } = await request('GET', `${owner}/phones/${id}?include=dialing`);
    expect(body).toMatchObject({ dialing: { e164: '+12125550102' } });
    await restart({});
    await expectFound('212-555-0102', [id]);
    expect(await searchIds('212-555-0101')).toEqual([]);
  });

  it('is found after the next PUT of its digits', async () => {
    const owner = await createOwner('organization');
    const { id } = await createPhone(owner, { digits: '212-555-0103' });
    await dataSource.query(`UPDATE phones SET digits = '212-555-0104' WHERE id = $1`, [id]);
    await request('PUT', `${owner}/phones/${id}`, { phone_type: 'fax' });
    expect(await searchIds('212-555-0104')).toEqual([]);
    await request('PUT', `${owner}/phones/${id}`, { digits: '212-555-0104' });
    expect(await searchIds('212-555-0104')).toEqual([id]);
  });

  it('is not overwritten by a job that has read its former digits', async () => {
    const { id } = await createPhone(await createOwner('organization'), { digits: '212-555-0110' });
    await dataSource.query(`UPDATE phones SET dialing_version = 'former' WHERE id = $1`, [id]);
    const version = dialingVersion('US');
    for (const digits of ['212-555-0109', '212-555-0110']) {
      const computed = { id, digits, ...toDialingColumns(digits, 'US') };
      await app.get(Pool).query(recomputePhones([computed], version));
    }
    expect(await searchIds('212-555-0109')).toEqual([]);
    expect(await searchIds('212-555-0110')).toEqual([id]);
  });

  it('is still found if SQL changes something else', async () => {
    const { id } = await createPhone(await createOwner('organization'), { digits: '212-555-0105' });
    await dataSource.query(`UPDATE phones SET phone_type = 'fax', digits = digits WHERE id = $1`, [id]);
    expect(await searchIds('212-555-0105')).toEqual([id]);
  });
});

it('a phone that a former version has added is found after the next start', async () => {
  const owner = await createOwner('organization');
  const ids = await insertPhones(owner, '212-555-0106 x 3');
  expect(await searchIds('212-555-0106')).toEqual([]);
  await restart({});
  await expectFound('2125550106 ext 3', ids);
});

describe('After a start with another DEFAULT_COUNTRY', () => {
  /** More phones than one statement computes. */
  const COUNT = 450;
  let owner: string;
  let ids: number[];

  beforeAll(async () => {
    owner = await createOwner('organization');
    ids = await insertPhones(owner, '020 7946 0018', COUNT);
    await restart({});
    await expectAllComputed('US');
  });

  it('all phones are computed again, with the same entity tags', async () => {
    const getTags = () =>
      Promise.all(
        ids.slice(0, 5).map(async (id) => (await request('GET', `${owner}/phones/${id}`)).headers.etag),
      );
    const tags = await getTags();
    await restart({ DEFAULT_COUNTRY: 'GB' });
    await expectAllComputed('GB');
    expect(await searchIds('+44 20 7946 0018')).toEqual(ids.slice(0, 100));
    expect(await getTags()).toEqual(tags);

    await restart({});
    await expectAllComputed('US');
    expect(await searchIds('+44 20 7946 0018')).toEqual([]);
    expect(await getTags()).toEqual(tags);
  });

  it('no concurrent update is lost', async () => {
    await restart({ DEFAULT_COUNTRY: 'GB' });
    const changes = ids.map((id, index) => ({ id, digits: `+1 212 555 ${1000 + index}` }));
    await Promise.all(
      changes.map(async ({ id, digits }) => {
        expect((await request('PUT', `${owner}/phones/${id}`, { digits })).status).toBe(200);
      }),
    );
    await expectAllComputed('GB');
    for (const { id, digits } of changes.filter((_, index) => index % 50 === 0)) {
      expect(await searchIds(digits)).toEqual([id]);
    }
    const stale = await dataSource.query<object[]>(
      `SELECT id FROM phones WHERE owner_id = $1 AND owner_type = 'organization' AND dial <> replace(digits, ' ', '')`,
      [Number(owner.split('/').at(-1))],
    );
    expect(stale).toEqual([]);
    expect(await searchIds('+44 20 7946 0018')).toEqual([]);
    await restart({});
  });
});

it(
  'a locked phone does not delay the others, and is computed later, as all are after an error',
  { skip: SERVER === undefined },
  async () => {
    const owner = await createOwner('organization');
    const [first = 0, second = 0] = await insertPhones(owner, '212-555-0107', 2);
    const runner = dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.query('LOCK TABLE phones IN ACCESS EXCLUSIVE MODE');
    const service = new Service({ ...databaseSettings(), DATABASE_LOCK_TIMEOUT: '100' });
    const api = await service.listening();
    const expectFoundThere = async (ids: number[]) => {
      const { body } = await send<Phone[]>('GET', `${api}/phones?number=212-555-0107`);
      expect(body.map(({ id }) => id)).toEqual(ids);
    };
    await service.printed('Cannot compute what phones dial, will retry: ');
    await runner.rollbackTransaction();

    await runner.startTransaction();
    await runner.query('SELECT FROM phones WHERE id = $1 FOR UPDATE', [first]);
    await vi.waitFor(() => expectFoundThere([second]), { timeout: 60_000 });
    await runner.rollbackTransaction();
    await vi.waitFor(() => expectFoundThere([first, second]), { timeout: 60_000 });
    await runner.release();
  },
);

it('two services that start together compute each phone once', { skip: SERVER === undefined }, async () => {
  const owner = await createOwner('organization');
  await restart({});
  await expectAllComputed('US');
  await dataSource.query('CREATE TABLE computed (id integer)');
  await dataSource.query(`
    CREATE FUNCTION note_computed() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO computed VALUES (NEW.id);
        RETURN NULL;
      END
    $$`);
  await dataSource.query(
    'CREATE TRIGGER note_computed AFTER UPDATE ON phones FOR EACH ROW EXECUTE FUNCTION note_computed()',
  );
  const ids = await insertPhones(owner, '212-555-0108', 2000);
  const services = [new Service(databaseSettings()), new Service(databaseSettings())];
  await Promise.all(services.map((service) => service.listening()));
  await expectAllComputed('US');
  // Whatever a statement would do twice has been done when both services have stopped.
  for (const { code } of await Promise.all(services.map((service) => service.end('SIGTERM'))))
    expect(code).toBe(0);
  const computed = await dataSource.query<{ id: number }[]>('SELECT id FROM computed ORDER BY id');
  expect(computed.map(({ id }) => id)).toEqual(ids);
});

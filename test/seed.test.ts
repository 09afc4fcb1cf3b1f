import { expect, it } from 'vitest';
import { send, Service } from './support/service.js';
import { databaseSettings } from './support/database.js';

interface Resource {
  id: number;
  is_primary?: boolean;
}

const seed = () => new Service(databaseSettings(), 'seed/seed.js').end();

it('the seed fills an empty database with sample data, and leaves any other database unchanged', async () => {
  expect(await seed()).toMatchObject({ code: 0, output: ['Created 10 organizations with 37 phones.'] });
  expect(await seed()).toMatchObject({
    code: 0,
    output: ['Nothing to do: the database has 10 organizations already.'],
  });

  const api = await new Service().listening();
  const list = async (path: string) => (await send<Resource[]>('GET', api + path)).body;
  const organizations = await list('/organizations');
  expect(organizations).toHaveLength(10);
  let phones = 0;
  for (const { id } of organizations) {
    const organization = `/organizations/${id}`;
    const owners = [organization];
    for (const collection of ['opportunities', 'locations']) {
      for (const owner of await list(`${organization}/${collection}`)) {
        owners.push(`${organization}/${collection}/${owner.id}`);
      }
    }
    for (const owner of owners) {
      const listed = await list(`${owner}/phones`);
      expect(listed.filter(({ is_primary }) => is_primary)).toHaveLength(Math.min(1, listed.length));
      phones += listed.length;
    }
  }
  expect(phones).toBe(37);
});

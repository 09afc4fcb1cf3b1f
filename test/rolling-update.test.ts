import { expect, it } from 'vitest';
import { databaseSettings, SERVER } from './support/database.js';
import { buildCommits, commitsBeforeMigrations } from './support/former-builds.js';
import { COLLECTIONS, OWNER_TYPES, type Phone } from './support/owners.js';
import { send, Service } from './support/service.js';

it('this build and the two before it serve the same phones side by side on one database', async ({
  skip,
}) => {
  if (SERVER === undefined) skip('The embedded database has a single process.');
  const commits = commitsBeforeMigrations(2);
  if (commits.length < 2) skip('There is no git history with the two builds.');
  const builds = buildCommits(commits);

  // The newest build migrates the database first, as in a rolling update.
  const newest = await new Service().listening();
  const former = builds.map((build) => new Service(databaseSettings(), 'main.js', build).listening());
  const apis = [newest, ...(await Promise.all(former))];

  const expectEverywhere = async (path: string, expected: unknown): Promise<void> => {
    for (const api of apis) {
      expect(await send('GET', `${api}${path}`)).toMatchObject({ status: 200, body: expected });
    }
  };
  const create = async (api: string | undefined, path: string, name: string): Promise<string> => {
    const body = path.endsWith('opportunities') ? { title: name } : { name };
    const created = await send<{ id: number }>('POST', `${api}${path}`, body);
    expect(created.status).toBe(201);
    return `${path}/${created.body.id}`;
  };

  for (const [index, api] of apis.entries()) {
    const [next, last] = [apis[(index + 1) % 3], apis[(index + 2) % 3]];
    const organization = await create(api, '/organizations', 'Harbor');
    for (const type of OWNER_TYPES) {
      const owner =
        type === 'organization'
          ? organization
          : await create(next, `${organization}/${COLLECTIONS[type]}`, 'Lunch');
      const path = `${owner}/phones`;
      const { body: first } = await send<Phone>('POST', `${api}${path}`, { digits: '211' });
      await expectEverywhere(path, [{ ...first, digits: '211', is_primary: true }]);
      const { body: second } = await send<Phone>('POST', `${next}${path}`, { digits: '311' });
      const changes = { phone_type: 'fax', is_primary: true };
      expect((await send('PUT', `${last}${path}/${second.id}`, changes)).status).toBe(200);
      await expectEverywhere(path, [
        { ...first, is_primary: false },
        { ...second, ...changes },
      ]);
      expect((await send('DELETE', `${api}${path}/${first.id}`)).status).toBe(204);
      await expectEverywhere(path, [{ ...second, ...changes }]);
    }
    expect((await send('DELETE', `${last}${organization}`)).status).toBe(204);
  }
  expect((await fetch(new URL('/health/ready', newest))).status).toBe(200);
});

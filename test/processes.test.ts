import { expect, it } from 'vitest';
import { SERVER } from './support/database.js';
import { send, Service } from './support/service.js';

interface Phone {
  id: number;
  is_primary: boolean;
}

it(
  'two services that share a server never make two numbers of one owner primary',
  { skip: SERVER === undefined },
  async () => {
    const apis = await Promise.all([new Service().listening(), new Service().listening()]);
    const [api] = apis;
    const { body: organization } = await send<{ id: number }>('POST', `${api}/organizations`, {
      name: 'Harbor',
    });
    const phones = `/organizations/${organization.id}/phones`;

    const created = await Promise.all(
      Array.from({ length: 50 }, (_, number) =>
        send<Phone>('POST', `${apis[number % 2]}${phones}`, {
          digits: `650-555-01${number}`,
          is_primary: true,
        }),
      ),
    );
    expect(new Set(created.map(({ status }) => status))).toEqual(new Set([201]));
    const changed = await Promise.all(
      created.map(({ body }, number) =>
        send('PUT', `${apis[number % 2]}${phones}/${body.id}`, { is_primary: true }),
      ),
    );
    expect(new Set(changed.map(({ status }) => status))).toEqual(new Set([200]));

    const { body: list } = await send<Phone[]>('GET', `${api}${phones}`);
    expect(list).toHaveLength(50);
    expect(list.filter(({ is_primary }) => is_primary)).toHaveLength(1);
  },
);

it(
  'two services that share a server never give two organizations one slug',
  { skip: SERVER === undefined },
  async () => {
    const apis = await Promise.all([new Service().listening(), new Service().listening()]);
    const created = await Promise.all(
      Array.from({ length: 30 }, (_, number) =>
        send<{ slug: string }>('POST', `${apis[number % 2]}/organizations`, { name: 'Food Pantry' }),
      ),
    );
    expect(new Set(created.map(({ body }) => body.slug)).size).toBe(30);
  },
);

import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { ApiResponse } from './support/api.js';
import type { Phone } from './support/owners.js';
import { send, Service } from './support/service.js';

/** How many times the service is killed; KILL_ROUNDS=100 makes a long run. */
const ROUNDS = Number(process.env.KILL_ROUNDS ?? 3);

/** How many clients write concurrently. */
const WRITERS = 8;

/** An organization can have 1000 phones, and there are at most 150 new ones in a round. */
const ROUNDS_PER_ORGANIZATION = 5;

/** A phone to create, with the Idempotency-Key that makes its POST safe to retry. */
interface Attempt {
  organization: number;
  phone: { digits: string; is_primary: boolean };
  key: string;
  created?: Phone;
}

it(
  `after ${ROUNDS} kills with SIGKILL during writes, no phone is lost or duplicated`,
  async () => {
    let service = new Service();
    let api = await service.listening();
    const organizations: number[] = [];
    const attempts: Attempt[] = [];

    const post = ({ organization, phone, key }: Attempt): Promise<ApiResponse<Phone>> =>
      send('POST', `${api}/organizations/${organization}/phones`, phone, { 'idempotency-key': key });
    const list = async (organization: number): Promise<Phone[]> =>
      (await send<Phone[]>('GET', `${api}/organizations/${organization}/phones`)).body;
    const listAll = async (): Promise<Phone[]> => (await Promise.all(organizations.map(list))).flat();

    let organization = 0;
    for (let round = 0; round < ROUNDS; round++) {
      if (round % ROUNDS_PER_ORGANIZATION === 0) {
        const created = await send<{ id: number }>('POST', `${api}/organizations`, { name: 'Harbor' });
        organization = created.body.id;
        organizations.push(organization);
      }
      // The service is killed after some writes, at a different moment in each round.
      const killAfter = attempts.length + 40 + Math.floor(Math.random() * 100);
      const write = async (): Promise<never> => {
        for (;;) {
          const digits = `650-555-${attempts.length}`;
          const attempt: Attempt = {
            organization,
            phone: { digits, is_primary: attempts.length % 2 === 0 },
            key: randomUUID(),
          };
          attempts.push(attempt);
          const response = await post(attempt);
          expect(response.status).toBe(201);
          attempt.created = response.body;
          if (attempts.length >= killAfter) void service.end('SIGKILL');
        }
      };
      await Promise.allSettled(Array.from({ length: WRITERS }, write));
      expect((await service.end()).signal).toBe('SIGKILL');

      service = new Service();
      api = await service.listening();
      const found = new Map((await listAll()).map((phone) => [phone.digits, phone]));
      for (const { phone, created } of attempts) {
        const { id, digits } = created ?? {};
        if (created !== undefined) expect(found.get(phone.digits)).toMatchObject({ id, digits });
      }
      // Requests without a response may or may not have been executed, so they are retried.
      for (const attempt of attempts.filter(({ created }) => created === undefined)) {
        const response = await post(attempt);
        expect(response.status).toBe(201);
        attempt.created = response.body;
      }
      const phones = await listAll();
      expect(phones.map(({ digits }) => digits).sort()).toEqual(
        attempts.map(({ phone }) => phone.digits).sort(),
      );
      expect(phones.filter(({ is_primary }) => is_primary)).toHaveLength(organizations.length);
    }
  },
  60_000 + ROUNDS * 100_000,
);

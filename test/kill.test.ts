import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { ApiResponse } from './support/api.js';
import type { Phone } from './support/owners.js';
import { send, Service } from './support/service.js';

/** How often the service is killed: with KILL_ROUNDS=100 for a long run. */
const ROUNDS = Number(process.env.KILL_ROUNDS ?? 3);

/** How many writers write at once. */
const WRITERS = 8;

/** Each phone that was to be added, with the key that makes its POST safe to send again. */
interface Attempt {
  phone: { digits: string; is_primary: boolean };
  key: string;
  acknowledged?: Phone;
}

it(
  `after ${ROUNDS} times kill -9 in the midst of writes nothing is lost and nothing is there twice`,
  async () => {
    let service = new Service();
    let api = await service.listening();
    const { body: organization } = await send<{ id: number }>('POST', `${api}/organizations`, {
      name: 'Harbor',
    });
    const attempts: Attempt[] = [];

    const post = ({ phone, key }: Attempt): Promise<ApiResponse<Phone>> =>
      send('POST', `${api}/organizations/${organization.id}/phones`, phone, { 'idempotency-key': key });
    const list = async (): Promise<Phone[]> =>
      (await send<Phone[]>('GET', `${api}/organizations/${organization.id}/phones`)).body;

    for (let round = 1; round <= ROUNDS; round++) {
      // Not before some writes are done, and at another moment each time.
      const writes = attempts.length + 40 + Math.floor(Math.random() * 100);
      const write = async (): Promise<never> => {
        for (;;) {
          const digits = `650-555-${attempts.length}`;
          const attempt: Attempt = {
            phone: { digits, is_primary: attempts.length % 2 === 0 },
            key: randomUUID(),
          };
          attempts.push(attempt);
          const answer = await post(attempt);
          expect(answer.status).toBe(201);
          attempt.acknowledged = answer.body;
          if (attempts.length >= writes) void service.end('SIGKILL');
        }
      };
      await Promise.allSettled(Array.from({ length: WRITERS }, write));
      expect((await service.end()).signal).toBe('SIGKILL');

      service = new Service();
      api = await service.listening();
      const found = new Map((await list()).map((phone) => [phone.digits, phone]));
      for (const { phone, acknowledged } of attempts) {
        const { id, digits } = acknowledged ?? {};
        if (acknowledged !== undefined) expect(found.get(phone.digits)).toMatchObject({ id, digits });
      }
      // Nobody knows which of the others were written. To send them again is safe.
      for (const attempt of attempts.filter(({ acknowledged }) => acknowledged === undefined)) {
        const answer = await post(attempt);
        expect(answer.status).toBe(201);
        attempt.acknowledged = answer.body;
      }
      const phones = await list();
      expect(phones.map(({ digits }) => digits).sort()).toEqual(
        attempts.map(({ phone }) => phone.digits).sort(),
      );
      expect(phones.filter(({ is_primary }) => is_primary)).toHaveLength(1);
    }
  },
  ROUNDS * 20_000,
);

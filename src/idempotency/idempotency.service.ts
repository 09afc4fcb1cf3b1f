import { ConflictException, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { retryOnConflict } from '../database/retry-on-conflict.js';
import { RetryableException } from '../common/problem-details.js';
import type { IdempotentRequest } from './idempotency-key.decorator.js';
import { FIND_RESPONSE, SAVE_RESPONSE, LOCK_KEY } from './idempotency.queries.js';

/** Lets a POST that is sent again with its `Idempotency-Key` create nothing again (draft-ietf-httpapi-idempotency-key-header). */
@Injectable()
export class IdempotencyService {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Creates something, once for each key. The key is kept in the transaction that creates, so there is never one
   * without the other. A refusal creates nothing and is not kept: the request may be right another time.
   *
   * @param request the request with its key; undefined when it has none
   * @param create creates it with this manager, and returns it as it is answered
   * @returns what was created, now or by the first request with this key
   * @throws TryAgainException while the first request with this key is still under way
   * @throws ConflictException when the first request with this key was another one
   */
  executeOnce<Created extends object>(
    request: IdempotentRequest | undefined,
    create: (manager: EntityManager) => Promise<Created>,
  ): Promise<Created> {
    if (request === undefined) return retryOnConflict(() => create(this.dataSource.manager));
    const { caller, key, fingerprint } = request;
    return retryOnConflict(() =>
      this.dataSource.transaction(async (manager) => {
        const [lock] = await manager.query<{ is_taken: boolean }[]>(LOCK_KEY, [caller, key]);
        if (!lock?.is_taken) {
          throw new RetryableException(
            409,
            'The first request with this Idempotency-Key is still under way.',
          );
        }
        const [first] = await manager.query<{ fingerprint: Buffer; answer: Created }[]>(FIND_RESPONSE, [
          caller,
          key,
        ]);
        if (first === undefined) {
          const created = await create(manager);
          await manager.query(SAVE_RESPONSE, [caller, key, fingerprint, created]);
          return created;
        }
        if (!first.fingerprint.equals(fingerprint)) {
          throw new ConflictException(
            'This Idempotency-Key came with another request before; a new request needs a new key.',
          );
        }
        return first.answer;
      }),
    );
  }
}

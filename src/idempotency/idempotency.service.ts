import { ConflictException, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { retryOnConflict } from '../database/retry-on-conflict.js';
import { RetryableException } from '../common/problem-details.js';
import type { IdempotentRequest } from './idempotency-key.decorator.js';
import { FIND_RESPONSE, SAVE_RESPONSE, LOCK_KEY } from './idempotency.queries.js';

/** Makes POST requests with an `Idempotency-Key` safe to retry (draft-ietf-httpapi-idempotency-key-header). */
@Injectable()
export class IdempotencyService {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Creates a resource, once per key. The response is saved in the transaction that creates the resource, so that there
   * is never one without the other. Errors are not saved: a retry may succeed.
   *
   * @param request the request, if it has a key
   * @param create creates the resource with this manager, and returns the body of the response
   * @returns the body of the response to the first request with this key
   * @throws RetryableException while the first request with this key is in progress
   * @throws ConflictException when the first request with this key was a different one
   */
  executeOnce<Created extends object>(
    request: IdempotentRequest | undefined,
    create: (manager: EntityManager) => Promise<Created>,
  ): Promise<Created> {
    if (request === undefined) return retryOnConflict(() => create(this.dataSource.manager));
    const { client, key, fingerprint } = request;
    return retryOnConflict(() =>
      this.dataSource.transaction(async (manager) => {
        const [lock] = await manager.query<{ is_taken: boolean }[]>(LOCK_KEY, [client, key]);
        if (!lock?.is_taken) {
          throw new RetryableException(
            409,
            'The first request with this Idempotency-Key is still in progress.',
          );
        }
        const [first] = await manager.query<{ fingerprint: Buffer; answer: Created }[]>(FIND_RESPONSE, [
          client,
          key,
        ]);
        if (first === undefined) {
          const created = await create(manager);
          await manager.query(SAVE_RESPONSE, [client, key, fingerprint, created]);
          return created;
        }
        if (!first.fingerprint.equals(fingerprint)) {
          throw new ConflictException(
            'This Idempotency-Key was used for a different request; a new request needs a new key.',
          );
        }
        return first.answer;
      }),
    );
  }
}

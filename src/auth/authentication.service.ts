import { timingSafeEqual } from 'node:crypto';
import { BadRequestException, Inject, Injectable, Logger } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { Pool } from 'pg';
import type { IdOrSlug } from '../common/path-params.js';
import { UnauthenticatedException } from '../common/problem-details.js';
import { retryInNewSession } from '../database/retry-on-conflict.js';
import { type Environment, environmentConfig } from '../config/environment.js';
import { hashOf, isApiKey, prefixOf } from './api-key.js';
import { type ClientRow, findClient, RECORD_USE } from './auth.queries.js';
import type { AuthenticatedClient } from './authenticated-client.js';

/**
 * How long a client is cached, in milliseconds. Well below the five seconds after which no process accepts a revoked
 * key.
 */
const TIME_TO_LIVE = 2000;

const CACHE_SIZE = 10_000;

const ADMIN: AuthenticatedClient = { is_admin: true, organizations: new Map() };

/** Finds the client to which the API key of a request belongs. */
@Injectable()
export class AuthenticationService {
  private readonly logger = new Logger(AuthenticationService.name);
  /** By the hash of the key. Unknown keys are not cached: they could evict known ones. */
  private readonly clients = new LRUCache<string, AuthenticatedClient>({
    max: CACHE_SIZE,
    ttl: TIME_TO_LIVE,
  });
  /** The hashes of the keys that were valid when they were last looked up. */
  private readonly knownKeys = new LRUCache<string, true>({ max: CACHE_SIZE });
  private readonly adminHash: Buffer | undefined;
  /** The number of calls of {@link invalidateCache}. */
  private invalidations = 0;

  constructor(
    private readonly pool: Pool,
    @Inject(environmentConfig.KEY) { ADMIN_API_KEY }: Environment,
  ) {
    this.adminHash = ADMIN_API_KEY === undefined ? undefined : hashOf(ADMIN_API_KEY);
  }

  /**
   * @param beforeUnknownKey called before a key is looked up that this process does not know as valid. May throw
   * @returns the client; undefined when the request has no key
   * @throws BadRequestException for two different keys (RFC 6750, section 3.1)
   * @throws UnauthenticatedException for a key that is malformed, unknown, expired or revoked
   */
  async authenticate(
    request: FastifyRequest,
    beforeUnknownKey: () => Promise<void>,
  ): Promise<AuthenticatedClient | undefined> {
    const [key, ...others] = findKeys(request);
    if (key === undefined) return undefined;
    if (others.some((other) => other !== key)) {
      throw new BadRequestException('The request has two different API keys; send one.');
    }
    const hash = hashOf(key);
    if (this.adminHash && timingSafeEqual(hash, this.adminHash)) return ADMIN;
    if (!isApiKey(key)) {
      throw new UnauthenticatedException('The API key is malformed.', 'invalid_token');
    }
    const cacheKey = hash.toString('base64');
    const cached = this.clients.get(cacheKey);
    if (cached !== undefined) return cached;

    if (!this.knownKeys.has(cacheKey)) await beforeUnknownKey();
    const { invalidations } = this;
    const start = performance.now();
    const { rows } = await retryInNewSession(() => this.pool.query<ClientRow>(findClient(hash)));
    const [row] = rows;
    if (row === undefined) {
      this.knownKeys.delete(cacheKey);
      throw new UnauthenticatedException('The API key is unknown, expired or revoked.', 'invalid_token');
    }
    this.knownKeys.set(cacheKey, true);
    if (!row.is_use_recorded) await this.recordUse(row.key_id);
    const client = toAuthenticatedClient(row, prefixOf(key));
    const age = performance.now() - start;
    const ttl = Math.floor(Math.min(TIME_TO_LIVE, row.expires_in ?? Infinity) - age);
    // A result that was read before a change must not be cached after it.
    if (ttl > 0 && invalidations === this.invalidations) this.clients.set(cacheKey, client, { ttl });
    return client;
  }

  /** Makes a change to clients or keys effective in this process at once. */
  invalidateCache(): void {
    this.invalidations++;
    this.clients.clear();
  }

  /** Records the use of a key. A failure is only logged: reads must also work on a standby or with a full disk. */
  private async recordUse(keyId: number): Promise<void> {
    await this.pool.query(RECORD_USE, [keyId]).catch((error: unknown) => {
      this.logger.debug(`The use of an API key could not be recorded: ${String(error)}`);
    });
  }
}

/** Whether a request has a header or a parameter that may contain a key. */
export function hasCredentials({ headers, query }: FastifyRequest): boolean {
  return 'authorization' in headers || 'x-api-key' in headers || 'api_key' in (query as object);
}

/**
 * @returns the prefix of the key in a request; undefined if it has none or a malformed one, which may be another secret
 */
export function findKeyPrefix(request: FastifyRequest): string | undefined {
  const key = findKeys(request).find(isApiKey);
  return key === undefined ? undefined : prefixOf(key);
}

/** @returns all keys of a request, from each place that may hold one, including repeated headers */
function findKeys({ raw: { rawHeaders }, query }: FastifyRequest): string[] {
  const keys: unknown[] = [(query as { api_key?: unknown }).api_key].flat();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase();
    const value = rawHeaders[index + 1] ?? '';
    if (name === 'x-api-key') keys.push(value);
    else if (name === 'authorization') keys.push(/^Bearer(?= |$) *(.*)$/i.exec(value)?.[1]);
  }
  return keys.filter((key): key is string => typeof key === 'string' && key !== '');
}

function toAuthenticatedClient(row: ClientRow, key_prefix: string): AuthenticatedClient {
  const { client_id, key_id, is_admin, organization_ids, slugs } = row;
  const byId = organization_ids.map((id) => [id, id] as const);
  const bySlug = slugs.map((slug, index) => [slug, Number(organization_ids[index])] as const);
  const organizations = new Map<IdOrSlug, number>([...byId, ...bySlug]);
  return { client_id, key_id, key_prefix, is_admin, organizations };
}

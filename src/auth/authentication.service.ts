import { timingSafeEqual } from 'node:crypto';
import { BadRequestException, Inject, Injectable, Logger } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { Pool } from 'pg';
import { type Environment, environmentConfig } from '../config/environment.js';
import type { IdOrSlug } from '../common/path-params.js';
import { UnauthenticatedException } from '../common/problem-details.js';
import { type ClientRow, findClient, RECORD_USE } from './auth.queries.js';
import { hashOf, isApiKey } from './api-key.js';
import type { AuthenticatedClient } from './authenticated-client.js';

/**
 * How long a key is believed after it was looked up, in milliseconds: well below the five seconds after which no
 * process honours a key that was revoked.
 */
const TIME_TO_LIVE = 2000;

const MAX_CACHED = 10_000;

const ADMIN: AuthenticatedClient = { is_admin: true, organizations: new Map() };

/** Finds out who sent a request. */
@Injectable()
export class AuthenticationService {
  /** By the hash of the key. Keys that are unknown are not kept: they would push out those that are. */
  private readonly clients = new LRUCache<string, AuthenticatedClient>({
    max: MAX_CACHED,
    ttl: TIME_TO_LIVE,
  });
  private readonly adminHash: Buffer | undefined;
  private readonly log = new Logger(AuthenticationService.name);
  private invalidations = 0;

  constructor(
    private readonly pool: Pool,
    @Inject(environmentConfig.KEY) { ADMIN_API_KEY }: Environment,
  ) {
    this.adminHash = ADMIN_API_KEY === undefined ? undefined : hashOf(ADMIN_API_KEY);
  }

  /**
   * @returns the caller; undefined when the request brings no key
   * @throws BadRequestException for two different keys (RFC 6750, section 3.1)
   * @throws UnauthenticatedException for a key that is mistyped, unknown, expired or revoked
   */
  async authenticate(request: FastifyRequest): Promise<AuthenticatedClient | undefined> {
    const [key, ...others] = findKeys(request);
    if (key === undefined) return undefined;
    if (others.some((other) => other !== key)) {
      throw new BadRequestException('The request brings two different API keys; send one.');
    }
    const hash = hashOf(key);
    if (this.adminHash && timingSafeEqual(hash, this.adminHash)) return ADMIN;
    if (!isApiKey(key)) {
      throw new UnauthenticatedException(
        'This is no API key: it is incomplete or mistyped.',
        'invalid_token',
      );
    }
    const cacheKey = hash.toString('base64');
    const known = this.clients.get(cacheKey);
    if (known !== undefined) return known;

    const { invalidations } = this;
    const start = performance.now();
    const { rows } = await this.pool.query<ClientRow>(findClient(hash));
    const [row] = rows;
    if (row === undefined) {
      throw new UnauthenticatedException('The API key is unknown, expired or revoked.', 'invalid_token');
    }
    const { client_id, key_id, is_admin, organization_ids, slugs, expires_in, is_use_recorded } = row;
    if (!is_use_recorded) await this.recordUse(key_id);
    const byId = organization_ids.map((id) => [id, id] as const);
    const bySlug = slugs.map((slug, index) => [slug, Number(organization_ids[index])] as const);
    const caller = {
      client_id,
      key_id,
      is_admin,
      organizations: new Map<IdOrSlug, number>([...byId, ...bySlug]),
    };
    const age = performance.now() - start;
    const ttl = Math.floor(Math.min(TIME_TO_LIVE, expires_in ?? Infinity) - age);
    // What was found before a change may not outlive it.
    if (ttl > 0 && invalidations === this.invalidations) this.clients.set(cacheKey, caller, { ttl });
    return caller;
  }

  /** Makes what was changed about clients and keys hold in this process at once. */
  invalidateCache(): void {
    this.invalidations++;
    this.clients.clear();
  }

  /** Reads go on where nothing can be written: on a standby, on a full disk. */
  private async recordUse(keyId: number): Promise<void> {
    await this.pool.query(RECORD_USE, [keyId]).catch((error: unknown) => {
      this.log.debug(`The use of a key cannot be noted: ${String(error)}`);
    });
  }
}

/** Whether a request brings anything that {@link AuthenticationService.authenticate} may take for a key. */
export function hasCredentials({ headers, query }: FastifyRequest): boolean {
  return 'authorization' in headers || 'x-api-key' in headers || 'api_key' in (query as object);
}

/** The keys that a request brings, from each place where one may stand, also from headers that are repeated. */
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

import { type HttpException, Injectable, Logger } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { AuthenticatedClient } from './authenticated-client.js';
import { findKeyPrefix, hasCredentials } from './authentication.service.js';

/** The number of rejected keys that are logged in a second. An attacker must not fill the disk. */
const MAX_REJECTIONS_PER_SECOND = 5;

/** What a change to clients was made to. */
interface ChangedClient {
  client_id: number;
  /** The beginning of the API key that was created or revoked. */
  key_prefix?: string;
}

/** Logs who changed clients and keys, and which keys were rejected. It never logs a key, only its prefix. */
@Injectable()
export class SecurityLog {
  private readonly logger = new Logger(SecurityLog.name);
  private windowStart = -Infinity;
  /** The number of keys that were rejected since `windowStart`. */
  private rejections = 0;

  /** @param change what was done, such as `Client created` */
  logChange(change: string, author: AuthenticatedClient, target: ChangedClient): void {
    this.logger.log({ msg: change, author: describeClient(author), ...target });
  }

  /**
   * Logs a key that was rejected, or that does not give the permission. A request without a key is not logged.
   *
   * @param error why the key was rejected
   */
  logRejectedKey(request: FastifyRequest, error: HttpException): void {
    if (!hasCredentials(request)) return;
    const now = performance.now();
    if (now - this.windowStart >= 1000) {
      const omitted = this.rejections - MAX_REJECTIONS_PER_SECOND;
      if (omitted > 0) this.logger.warn({ msg: 'More API keys were rejected', omitted });
      this.windowStart = now;
      this.rejections = 0;
    }
    this.rejections++;
    if (this.rejections > MAX_REJECTIONS_PER_SECOND) return;
    const { client, id, ip, method, routeOptions } = request;
    this.logger.warn({
      msg: 'An API key was rejected',
      reason: error.message,
      status: error.getStatus(),
      key_prefix: findKeyPrefix(request),
      ...(client && { client: describeClient(client) }),
      address: ip,
      method,
      route: routeOptions.url,
      request_id: id,
    });
  }
}

function describeClient({ client_id, key_prefix }: AuthenticatedClient) {
  return client_id === undefined ? 'ADMIN_API_KEY' : { client_id, key_prefix };
}

import type { HttpException } from '@nestjs/common';
import type { IdOrSlug } from '../common/path-params.js';

/** The client whose API key a request carries. */
export interface AuthenticatedClient {
  /** Absent for `ADMIN_API_KEY`, which belongs to no client. */
  client_id?: number;
  key_id?: number;
  is_admin: boolean;
  /** The IDs of the organizations that it may manage, by ID and by slug, as a path may contain either. */
  organizations: ReadonlyMap<IdOrSlug, number>;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Absent when the request carries no key, or an invalid one. */
    client?: AuthenticatedClient;
    /** Why the key was rejected. The guard throws it on routes that accept a key. */
    authenticationError?: HttpException;
  }
}

import type { IdOrSlug } from '../common/path-params.js';

/** The client whose API key a request carries. */
export interface AuthenticatedClient {
  /** Absent for `ADMIN_API_KEY`, which belongs to no client. */
  client_id?: number;
  key_id?: number;
  /** The beginning of the key, by which people recognize it. */
  key_prefix?: string;
  is_admin: boolean;
  /** The IDs of the organizations that it may manage, by ID and by slug, as a path may contain either. */
  organizations: ReadonlyMap<IdOrSlug, number>;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Absent when the request carries no key, or an invalid one. */
    client?: AuthenticatedClient;
  }
}

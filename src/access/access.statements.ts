import type { QueryConfig } from 'pg';

/* The SQL of this module that TypeORM's repositories cannot say. */

export interface CallerRow {
  client_id: number;
  key_id: number;
  is_admin: boolean;
  /** Milliseconds, by the clock of the database; null when it does not. */
  expires_in: number | null;
  organization_ids: number[];
  slugs: string[];
}

/** Returns the client that a live key belongs to, and notes that the key was used; no row when there is none. */
export function findCaller(hash: Buffer): QueryConfig {
  return {
    name: 'find caller',
    text: `
      WITH used AS (
        UPDATE api_keys
        SET last_used_at = date_trunc('hour', now(), 'UTC')
        WHERE hash = $1 AND coalesce(expires_at, 'infinity') > now()
          AND last_used_at IS DISTINCT FROM date_trunc('hour', now(), 'UTC')
      )
      SELECT clients.id AS client_id, api_keys.id AS key_id, clients.is_admin,
        (extract(epoch FROM api_keys.expires_at - now()) * 1000)::float8 AS expires_in,
        array_remove(array_agg(organizations.id), NULL) AS organization_ids,
        array_remove(array_agg(organizations.slug::text), NULL) AS slugs
      FROM api_keys
      JOIN clients ON clients.id = api_keys.client_id
      LEFT JOIN client_organizations ON client_organizations.client_id = clients.id
      LEFT JOIN organizations ON organizations.id = client_organizations.organization_id
      WHERE api_keys.hash = $1 AND coalesce(api_keys.expires_at, 'infinity') > now()
      GROUP BY clients.id, api_keys.id`,
    values: [hash],
  };
}

/** Lets a client manage organizations; returns the IDs of those that there are. */
export const GRANT_ORGANIZATIONS = `
  INSERT INTO client_organizations (client_id, organization_id)
  SELECT $1, id FROM organizations WHERE id = ANY($2)
  RETURNING organization_id`;

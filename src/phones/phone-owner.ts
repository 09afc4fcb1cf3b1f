import type { IdOrSlug } from '../common/path-params.js';

/** The types of owner, defined here once. The entity, the SQL and the routes name them the same. */
export const OWNER_TYPES = ['organization', 'opportunity', 'location'] as const;

export type OwnerType = (typeof OWNER_TYPES)[number];

/** Whose phones a request is about, as its path says it. */
export type PhoneOwner =
  | { type: 'organization'; id: IdOrSlug }
  | { type: 'opportunity'; id: IdOrSlug; organization: IdOrSlug }
  | { type: 'location'; id: number; organization: IdOrSlug };

import { expect } from 'vitest';
import { AS_ADMIN, request } from './api.js';

export interface Phone {
  id: number;
  digits: string;
  phone_type: string | null;
  is_primary: boolean;
}

export interface Organization {
  id: number;
  slug: string;
  name: string;
}

/** The three owner types. */
export const OWNER_TYPES = ['organization', 'opportunity', 'location'] as const;

export type OwnerType = (typeof OWNER_TYPES)[number];

/** Runs a suite for each owner type: `describe.each(OWNER_CASES)('The phones of %s', (_, type) => …)`. */
export const OWNER_CASES: readonly (readonly [title: string, type: OwnerType])[] = [
  ['an organization', 'organization'],
  ['an opportunity', 'opportunity'],
  ['a location', 'location'],
];

export const COLLECTIONS = { opportunity: 'opportunities', location: 'locations' } as const;

async function create<Resource>(path: string, body: object): Promise<Resource> {
  const response = await request<Resource>('POST', path, body, AS_ADMIN);
  expect(response).toMatchObject({ status: 201 });
  return response.body;
}

export function createOrganization(name = 'Harbor Food Bank'): Promise<Organization> {
  return create('/v1/organizations', { name });
}

/** Creates an owner, in a new organization unless one is given. @returns its path */
export async function createOwner(type: OwnerType, organizationId?: number): Promise<string> {
  const organization = `/v1/organizations/${organizationId ?? (await createOrganization()).id}`;
  if (type === 'organization') return organization;
  const path = `${organization}/${COLLECTIONS[type]}`;
  const field = type === 'opportunity' ? 'title' : 'name';
  const { id } = await create<{ id: number }>(path, { [field]: 'Senior Lunch' });
  return `${path}/${id}`;
}

export function createPhone(owner: string, phone: Partial<Phone> = {}): Promise<Phone> {
  return create(`${owner}/phones`, { digits: '650-555-0101', ...phone });
}

export async function listPhones(owner: string): Promise<Phone[]> {
  return (await request<Phone[]>('GET', `${owner}/phones`, undefined, AS_ADMIN)).body;
}

import { request } from './api.js';

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

/** The types of owner, to run one suite for the three. */
export const OWNER_TYPES = ['organization', 'opportunity', 'location'] as const;

export type OwnerType = (typeof OWNER_TYPES)[number];

const COLLECTIONS = { opportunity: 'opportunities', location: 'locations' } as const;

export async function createOrganization(name = 'Harbor Food Bank'): Promise<Organization> {
  return (await request<Organization>('POST', '/v1/organizations', { name })).body;
}

/** Creates an owner, with an organization of its own unless one is given. @returns its path */
export async function createOwner(type: OwnerType, organizationId?: number): Promise<string> {
  const organization = `/v1/organizations/${organizationId ?? (await createOrganization()).id}`;
  if (type === 'organization') return organization;
  const { headers } = await request('POST', `${organization}/${COLLECTIONS[type]}`, {
    [type === 'opportunity' ? 'title' : 'name']: 'Senior Lunch',
  });
  return String(headers.location);
}

export async function createPhone(owner: string, phone: Partial<Phone> = {}): Promise<Phone> {
  return (await request<Phone>('POST', `${owner}/phones`, { digits: '650-555-0101', ...phone })).body;
}

export async function listPhones(owner: string): Promise<Phone[]> {
  return (await request<Phone[]>('GET', `${owner}/phones`)).body;
}

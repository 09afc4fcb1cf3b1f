/** One request, as both load generators send it. */
export interface LoadRequest {
  method: 'GET' | 'POST' | 'PUT';
  path: string;
  /** JSON. */
  body?: string;
}

/** What is measured, by the name that it has in the tables. Each makes a request to a random owner or phone. */
export type Operation = (data: Data) => LoadRequest;

/** What is in the database: as many opportunities, and as many locations, as organizations, with consecutive IDs. */
export interface Data {
  organizations: number;
}

export const PHONES_PER_OWNER = 3;
export const PHONES_PER_ORGANIZATION = 3 * PHONES_PER_OWNER;

/** The last tenth of the owners is where phones are created, so that the lists that are read stay as long as they are. */
const READ_SHARE = 0.9;

export const OPERATIONS = {
  'list, organization': listOrganizationPhones,
  'list, organization by slug': (data) => list(`/v1/organizations/organization-${readOwner(data)}`),
  'list, opportunity': (data) => list(opportunity(readOwner(data))),
  'list, location': (data) => list(location(readOwner(data))),
  'get one': (data) => {
    const owner = readOwner(data);
    return { method: 'GET', path: `/v1/organizations/${owner}/phones/${phoneOf(owner)}` };
  },
  create: (data) => {
    const owner = Math.ceil(data.organizations * READ_SHARE + random(data.organizations * (1 - READ_SHARE)));
    return { method: 'POST', path: `/v1/organizations/${owner}/phones`, body: phone() };
  },
  update: updatePhone,
  'mix, 95 % list and 5 % update': (data) =>
    Math.random() < 0.95 ? listOrganizationPhones(data) : updatePhone(data),
} satisfies Record<string, Operation>;

export type OperationName = keyof typeof OPERATIONS;

function listOrganizationPhones(data: Data): LoadRequest {
  return list(`/v1/organizations/${readOwner(data)}`);
}

function updatePhone(data: Data): LoadRequest {
  const owner = readOwner(data);
  return { method: 'PUT', path: `/v1/organizations/${owner}/phones/${phoneOf(owner)}`, body: phone() };
}

function list(owner: string): LoadRequest {
  return { method: 'GET', path: `${owner}/phones` };
}

function opportunity(id: number): string {
  return `/v1/organizations/${id}/opportunities/${id}`;
}

function location(id: number): string {
  return `/v1/organizations/${id}/locations/${id}`;
}

/** The ID of an organization, an opportunity or a location that phones are read of. */
function readOwner({ organizations }: Data): number {
  return random(organizations * READ_SHARE);
}

/** The ID of one of the phones of an organization. They were created in the order of their owners. */
function phoneOf(organization: number): number {
  return (organization - 1) * PHONES_PER_OWNER + random(PHONES_PER_OWNER);
}

function phone(): string {
  return JSON.stringify({ digits: `650-555-${random(9999)} x ${random(99)}`, phone_type: 'Intake' });
}

/** A whole number from 1 to `max`. */
function random(max: number): number {
  return Math.floor(Math.random() * Math.floor(max)) + 1;
}

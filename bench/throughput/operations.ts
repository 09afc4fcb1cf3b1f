/** A request in the form that both load generators accept. */
export interface LoadRequest {
  method: 'GET' | 'POST' | 'PUT';
  path: string;
  /** JSON text. */
  body?: string;
}

/** Returns a request for a random owner or phone. */
export type Operation = (data: SampleData) => LoadRequest;

/** The size of the sample data. There is one opportunity and one location per organization, with the same ID. */
export interface SampleData {
  organizations: number;
}

export const PHONES_PER_OWNER = 3;
export const PHONES_PER_ORGANIZATION = 3 * PHONES_PER_OWNER;

/** Phones are created only for the last tenth of the owners, so that the lists that are read keep their length. */
const READ_SHARE = 0.9;

/** The measured operations, by their names in the report. */
export const OPERATIONS = {
  'list, organization': listOrganizationPhones,
  'list, organization by slug': (data) => listPhones(`/v1/organizations/organization-${randomOwner(data)}`),
  'list, opportunity': (data) => listPhones(opportunityPath(randomOwner(data))),
  'list, location': (data) => listPhones(locationPath(randomOwner(data))),
  'get one': (data) => {
    const owner = randomOwner(data);
    return { method: 'GET', path: `/v1/organizations/${owner}/phones/${randomPhoneId(owner)}` };
  },
  create: (data) => {
    const owner = Math.ceil(
      data.organizations * READ_SHARE + randomInteger(data.organizations * (1 - READ_SHARE)),
    );
    return { method: 'POST', path: `/v1/organizations/${owner}/phones`, body: randomPhone() };
  },
  update: updatePhone,
  'mix, 95 % list and 5 % update': (data) =>
    Math.random() < 0.95 ? listOrganizationPhones(data) : updatePhone(data),
} satisfies Record<string, Operation>;

export type OperationName = keyof typeof OPERATIONS;

function listOrganizationPhones(data: SampleData): LoadRequest {
  return listPhones(`/v1/organizations/${randomOwner(data)}`);
}

function updatePhone(data: SampleData): LoadRequest {
  const owner = randomOwner(data);
  return {
    method: 'PUT',
    path: `/v1/organizations/${owner}/phones/${randomPhoneId(owner)}`,
    body: randomPhone(),
  };
}

function listPhones(owner: string): LoadRequest {
  return { method: 'GET', path: `${owner}/phones` };
}

function opportunityPath(id: number): string {
  return `/v1/organizations/${id}/opportunities/${id}`;
}

function locationPath(id: number): string {
  return `/v1/organizations/${id}/locations/${id}`;
}

/** Returns the ID of a random owner whose phones are read or updated, never added to. */
function randomOwner({ organizations }: SampleData): number {
  return randomInteger(organizations * READ_SHARE);
}

/** Returns the ID of a random phone of the organization. Phone IDs were assigned in the order of the organizations. */
function randomPhoneId(organization: number): number {
  return (organization - 1) * PHONES_PER_OWNER + randomInteger(PHONES_PER_OWNER);
}

function randomPhone(): string {
  return JSON.stringify({
    digits: `650-555-${randomInteger(9999)} x ${randomInteger(99)}`,
    phone_type: 'Intake',
  });
}

/** Returns a random integer from 1 to `max`. */
function randomInteger(max: number): number {
  return Math.floor(Math.random() * Math.floor(max)) + 1;
}

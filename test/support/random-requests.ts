import fc from 'fast-check';
import type { Method } from './api.js';
import type { Body, Key, Model, ModelRequest, Owner, OwnerPath } from './model.js';
import { COLLECTIONS, type OwnerType } from './owners.js';

/*
 * Random requests for the phones of a few owners. A plan contains names in place of IDs, which are known only during a
 * run, so that a failure can be repeated, shrunk and read.
 */

interface NamedOwner {
  name: string;
  type: OwnerType;
  /** The organization that the owner belongs to, or that it is itself. */
  organization: 'harbor' | 'willow';
}

export const OWNERS: NamedOwner[] = [
  { name: 'harbor', type: 'organization', organization: 'harbor' },
  { name: 'lunch', type: 'opportunity', organization: 'harbor' },
  { name: 'hall', type: 'location', organization: 'harbor' },
  { name: 'willow', type: 'organization', organization: 'willow' },
  { name: 'clinic', type: 'opportunity', organization: 'willow' },
  { name: 'house', type: 'location', organization: 'willow' },
  { name: 'rides', type: 'opportunity', organization: 'willow' },
  { name: 'yard', type: 'location', organization: 'willow' },
];

/** The owners and phones of a run, including deleted ones. */
export interface Run {
  owners: Map<string, Owner>;
  phoneIds: number[];
}

/** An owner in a path, by ID or slug, under an organization that may not be its own. */
interface PlannedOwner extends NamedOwner {
  by: KeyKind;
  organizationBy: KeyKind;
}

type KeyKind = 'id' | 'slug';

/** A phone of the owner or of the whole run, by its position modulo their number. */
interface PlannedPhone {
  of: 'owner' | 'run';
  number: number;
}

type Plan = { owner: PlannedOwner } & (
  | { operation: 'list' | 'delete owner' }
  | { operation: 'create'; body: Body }
  | { operation: 'get' | 'delete'; phone: PlannedPhone }
  | { operation: 'update'; phone: PlannedPhone; body: Body }
);

/** An ID that no phone has. */
const UNUSED_ID = 2 ** 31 - 1;

export class PlannedRequest {
  constructor(private readonly plan: Plan) {}

  /** Replaces the names by the IDs of the owners of this run and of the phones that exist now. */
  resolve(run: Run, model: Model): ModelRequest {
    const { plan } = this;
    const owner = ownerPath(plan.owner, (name, kind) => run.owners.get(name)?.[kind] ?? '');
    if (!('phone' in plan)) return { ...plan, owner };
    const ids = plan.phone.of === 'run' ? run.phoneIds : model.find(owner)?.phones.map(({ id }) => id);
    return { ...plan, owner, id: ids?.[plan.phone.number % ids.length] ?? UNUSED_ID };
  }

  /** For example `PUT /v1/organizations/{harbor.slug}/phones/{owner[0]} {"is_primary":true}`. */
  toString(): string {
    const { plan } = this;
    const owner = ownerPath(plan.owner, (name, kind) => `{${name}.${kind}}`);
    return requestLine('phone' in plan ? { ...plan, owner, id: phoneName(plan.phone) } : { ...plan, owner });
  }
}

function phoneName({ of, number }: PlannedPhone): string {
  return `{${of}[${number}]}`;
}

function ownerPath(owner: PlannedOwner, keyOf: (name: string, kind: KeyKind) => Key): OwnerPath {
  const { name, type, by, organization, organizationBy } = owner;
  switch (type) {
    case 'organization':
      return { type, key: keyOf(name, by) };
    case 'opportunity':
      return { type, key: keyOf(name, by), organization: keyOf(organization, organizationBy) };
    case 'location':
      return { type, key: keyOf(name, 'id'), organization: keyOf(organization, organizationBy) };
  }
}

const METHODS = {
  list: 'GET',
  create: 'POST',
  get: 'GET',
  update: 'PUT',
  delete: 'DELETE',
  'delete owner': 'DELETE',
} as const;

export interface HttpRequest {
  method: Method;
  url: string;
  body?: Body;
}

/** Converts a request to HTTP. Its path may contain names in place of IDs. */
export function toHttp(request: {
  operation: ModelRequest['operation'];
  owner: OwnerPath;
  id?: Key;
  body?: Body;
}): HttpRequest {
  const { operation, owner, id, body } = request;
  const path =
    owner.type === 'organization' ? [owner.key] : [owner.organization, COLLECTIONS[owner.type], owner.key];
  if (operation !== 'delete owner') path.push('phones');
  if (id !== undefined) path.push(id);
  return { method: METHODS[operation], url: `/v1/organizations/${path.join('/')}`, body };
}

export function requestLine(request: Parameters<typeof toHttp>[0]): string {
  const { method, url, body } = toHttp(request);
  return `${method} ${url}${body === undefined ? '' : ` ${JSON.stringify(body)}`}`;
}

const keyKind = fc.constantFrom<KeyKind>('id', 'slug');

const underOwnOrganization = (owners: NamedOwner[]): fc.Arbitrary<PlannedOwner> =>
  fc
    .tuple(fc.constantFrom(...owners), keyKind, keyKind)
    .map(([owner, by, organizationBy]) => ({ ...owner, by, organizationBy }));

const underWrongOrganization = underOwnOrganization(OWNERS).map((owner): PlannedOwner => ({
  ...owner,
  organization: owner.organization === 'harbor' ? 'willow' : 'harbor',
}));

const ownPhone = fc.nat(4).map((number): PlannedPhone => ({ of: 'owner', number }));
const anyPhone = fc.nat(20).map((number): PlannedPhone => ({ of: 'run', number }));

const validFields = {
  id: fc.nat(),
  digits: fc.constantFrom('925-308-7507 x 307', '1-800-GO-FEDEX 2', ' 711\t', '٩١١'),
  phone_type: fc.constantFrom('fax', 'Livermore Campus Intake', ' ', null),
  is_primary: fc.boolean(),
};

/** Fields of which most are invalid. */
const anyFields = {
  id: fc.jsonValue(),
  digits: fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('call us', '1'.repeat(256), 711, null)),
  phone_type: fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('x'.repeat(256), 1)),
  is_primary: fc.constantFrom<unknown>(true, 'true', 1, null),
  extension: fc.constant('307'),
};

const newPhone: fc.Arbitrary<Body> = fc.record(validFields, { requiredKeys: ['digits'] });
const changes: fc.Arbitrary<Body> = fc.record(validFields, { requiredKeys: [] });
const anyBody: fc.Arbitrary<Body> = fc.record(anyFields, { requiredKeys: [] });

/** Chooses the common value three times out of four. */
const mostly = <T>(common: fc.Arbitrary<T>, rare: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ arbitrary: common, weight: 3 }, { arbitrary: rare, weight: 1 });

function requests(
  owner: fc.Arbitrary<PlannedOwner>,
  phone: fc.Arbitrary<PlannedPhone>,
  created: fc.Arbitrary<Body>,
  changed: fc.Arbitrary<Body>,
): fc.Arbitrary<PlannedRequest> {
  const operation = <Name extends Plan['operation']>(name: Name) => fc.constant(name);
  return fc
    .oneof(
      { weight: 10, arbitrary: fc.record({ operation: operation('create'), owner, body: created }) },
      { weight: 10, arbitrary: fc.record({ operation: operation('update'), owner, phone, body: changed }) },
      { weight: 6, arbitrary: fc.record({ operation: operation('delete'), owner, phone }) },
      { weight: 3, arbitrary: fc.record({ operation: operation('list'), owner }) },
      { weight: 2, arbitrary: fc.record({ operation: operation('get'), owner, phone }) },
      { weight: 1, arbitrary: fc.record({ operation: operation('delete owner'), owner }) },
    )
    .map((plan) => new PlannedRequest(plan));
}

/** An organization with one opportunity and one location: few owners, so that requests conflict. */
const FEW_OWNERS = OWNERS.slice(0, 3);

/** Requests of any kind, some of which are invalid. */
export const anyRequests = requests(
  mostly(underOwnOrganization(FEW_OWNERS), fc.oneof(underOwnOrganization(OWNERS), underWrongOrganization)),
  mostly(ownPhone, anyPhone),
  mostly(newPhone, anyBody),
  mostly(changes, anyBody),
);

/** Valid requests, for one owner or for several. */
export const collidingRequests = [...FEW_OWNERS.map((owner) => [owner]), FEW_OWNERS].map((owners) =>
  requests(underOwnOrganization(owners), ownPhone, newPhone, changes),
);

export const collidingLists = FEW_OWNERS.map(
  (owner) => new PlannedRequest({ operation: 'list', owner: { ...owner, by: 'id', organizationBy: 'id' } }),
);

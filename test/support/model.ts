import type { OwnerType, Phone } from './owners.js';

/*
 * The rules of phones in plain code: who owns which phones, what a request changes, what is answered. The tests send
 * the same requests to the service and to this model, and expect the same of both.
 */

/** An ID or a slug. */
export type Key = number | string;

/** An owner as a path names it. */
export type OwnerPath =
  | { type: 'organization'; key: Key }
  | { type: Exclude<OwnerType, 'organization'>; key: Key; organization: Key };

export interface Owner {
  type: OwnerType;
  id: number;
  /** Locations have none. */
  slug?: string;
  /** The ID of the organization that an opportunity or a location belongs to. */
  organization_id?: number;
  phones: Phone[];
}

export type Body = Record<string, unknown>;

export type ModelRequest = { owner: OwnerPath } & (
  | { operation: 'list' | 'delete owner' }
  | { operation: 'create'; body: Body }
  | { operation: 'get' | 'delete'; id: number }
  | { operation: 'update'; id: number; body: Body }
);

export interface ModelResponse {
  status: number;
  body?: Phone | Phone[];
  /** The fields that a body was refused for, in alphabetical order. */
  faults?: string[];
}

const NOT_FOUND: ModelResponse = { status: 404 };

export class Model {
  constructor(private owners: Owner[]) {}

  copy(): Model {
    return new Model(structuredClone(this.owners));
  }

  /** All phones that there are, each with its owner, by ascending ID. */
  phones(): (Phone & { owner_type: OwnerType; owner_id: number })[] {
    return this.owners
      .flatMap(({ type, id, phones }) =>
        phones.map((phone) => ({ ...phone, owner_type: type, owner_id: id })),
      )
      .sort((a, b) => a.id - b.id);
  }

  /**
   * Answers a request and changes what it changes.
   *
   * @param newId the ID of the phone that the request creates, if it does; any that was never given before will do
   */
  answer(request: ModelRequest, newId: number): ModelResponse {
    const faults = bodyFaults(request);
    if (faults.length > 0) return { status: 400, faults };

    const owner = this.find(request.owner);
    if (owner === undefined) return NOT_FOUND;

    switch (request.operation) {
      case 'list':
        return { status: 200, body: owner.phones.toSorted((a, b) => a.id - b.id) };
      case 'create':
        return { status: 201, body: createPhone(owner, request.body, newId) };
      case 'delete owner':
        this.deleteOwner(owner);
        return { status: 204 };
      case 'get':
      case 'update':
      case 'delete':
        return answerForPhone(owner, request);
    }
  }

  /** An opportunity or a location is found only under its own organization. */
  find(path: OwnerPath): Owner | undefined {
    const among = (owners: Owner[], type: OwnerType, key: Key) =>
      owners.find((owner) => owner.type === type && (owner.id === key || owner.slug === key));
    if (path.type === 'organization') return among(this.owners, 'organization', path.key);
    const organization = among(this.owners, 'organization', path.organization);
    const below = this.owners.filter((owner) => owner.organization_id === organization?.id);
    return organization && among(below, path.type, path.key);
  }

  /** With an owner go its phones; with an organization, its opportunities and locations, too. */
  private deleteOwner(deleted: Owner): void {
    const isGone = (owner: Owner) =>
      owner === deleted || (deleted.type === 'organization' && owner.organization_id === deleted.id);
    this.owners = this.owners.filter((owner) => !isGone(owner));
  }
}

/** A phone is found only under its own owner. */
function answerForPhone(
  owner: Owner,
  request: Extract<ModelRequest, { operation: 'get' | 'update' | 'delete' }>,
): ModelResponse {
  const phone = owner.phones.find(({ id }) => id === request.id);
  if (phone === undefined) return NOT_FOUND;

  switch (request.operation) {
    case 'get':
      return { status: 200, body: phone };
    case 'update':
      return { status: 200, body: updatePhone(owner, phone, request.body) };
    case 'delete':
      // Also when it was the primary number: nobody is promoted.
      owner.phones = owner.phones.filter((other) => other !== phone);
      return { status: 204 };
  }
}

/** The first number of an owner is its primary one, unless the body says otherwise. */
function createPhone(owner: Owner, body: Body, id: number): Phone {
  const isFirst = owner.phones.length === 0;
  const phone = { id, digits: '', phone_type: null, is_primary: isFirst };
  owner.phones.push(phone);
  return updatePhone(owner, phone, body);
}

/** Changes the fields that the body names. A number that is made primary takes that from every other one. */
function updatePhone(owner: Owner, phone: Phone, { digits, phone_type, is_primary }: Body): Phone {
  if (typeof digits === 'string') phone.digits = digits.trim();
  if (phone_type === null) phone.phone_type = null;
  if (typeof phone_type === 'string') phone.phone_type = phone_type.trim() || null;
  if (is_primary === true) for (const other of owner.phones) other.is_primary = false;
  if (typeof is_primary === 'boolean') phone.is_primary = is_primary;
  return phone;
}

/** What each field may be. The ID is read-only: whatever it is, it is ignored. */
const FIELDS: Record<string, ((value: unknown) => boolean) | undefined> = {
  id: () => true,
  digits: (value) => isText(value) && /\p{Nd}/u.test(value),
  phone_type: (value) => value === null || isBlank(value) || isText(value),
  is_primary: (value) => typeof value === 'boolean',
};

/** A body is judged before its owner is looked up. Only `digits` is required, and only to create a phone. */
function bodyFaults(request: ModelRequest): string[] {
  if (!('body' in request)) return [];
  const { operation, body } = request;
  const refused = Object.keys(body).filter((field) => !FIELDS[field]?.(body[field]));
  return operation === 'create' && !('digits' in body) ? [...refused, 'digits'].sort() : refused.sort();
}

/** To JavaScript U+FEFF is white space, to Unicode an invisible format character. */
function isBlank(value: unknown): boolean {
  return typeof value === 'string' && value.trim() === '' && !value.includes('\uFEFF');
}

/** Up to 255 code points that a person can see, not counting white space around them. */
function isText(value: unknown): value is string {
  if (typeof value !== 'string' || value.includes('\uFEFF') || !value.isWellFormed()) return false;
  const text = value.trim();
  return text !== '' && Array.from(text).length <= 255 && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text);
}

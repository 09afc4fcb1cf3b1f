import type { OwnerType, Phone } from './owners.js';

/*
 * The rules for phones in plain code: who owns which phones, what a request changes, and what it returns. The tests
 * send the same requests to the service and to this model, and expect the same responses.
 */

/** An ID or a slug. */
export type Key = number | string;

/** An owner as it appears in a path. */
export type OwnerPath =
  | { type: 'organization'; key: Key }
  | { type: Exclude<OwnerType, 'organization'>; key: Key; organization: Key };

export interface Owner {
  type: OwnerType;
  id: number;
  /** Undefined for locations. */
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
  /** The invalid fields of the body, in alphabetical order. */
  fieldErrors?: string[];
}

const NOT_FOUND: ModelResponse = { status: 404 };

export class Model {
  constructor(private owners: Owner[]) {}

  copy(): Model {
    return new Model(structuredClone(this.owners));
  }

  /** All phones with their owners, by ascending ID. */
  phones(): (Phone & { owner_type: OwnerType; owner_id: number })[] {
    return this.owners
      .flatMap(({ type, id, phones }) =>
        phones.map((phone) => ({ ...phone, owner_type: type, owner_id: id })),
      )
      .sort((a, b) => a.id - b.id);
  }

  /**
   * Applies a request to the model.
   *
   * @param newId the ID for the phone that the request creates, if it does; it must never have been used before
   * @returns the response that is expected of the service
   */
  respond(request: ModelRequest, newId: number): ModelResponse {
    const fieldErrors = validateBody(request);
    if (fieldErrors.length > 0) return { status: 400, fieldErrors };

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
        return respondForPhone(owner, request);
    }
  }

  /** Finds an owner; an opportunity or a location only under its own organization. */
  find(path: OwnerPath): Owner | undefined {
    const findIn = (owners: Owner[], type: OwnerType, key: Key) =>
      owners.find((owner) => owner.type === type && (owner.id === key || owner.slug === key));
    if (path.type === 'organization') return findIn(this.owners, 'organization', path.key);
    const organization = findIn(this.owners, 'organization', path.organization);
    const children = this.owners.filter((owner) => owner.organization_id === organization?.id);
    return organization && findIn(children, path.type, path.key);
  }

  /** Deletes an owner with its phones, and an organization with its opportunities and locations. */
  private deleteOwner(deleted: Owner): void {
    const isDeleted = (owner: Owner) =>
      owner === deleted || (deleted.type === 'organization' && owner.organization_id === deleted.id);
    this.owners = this.owners.filter((owner) => !isDeleted(owner));
  }
}

/** Applies a request for one phone, which is found only under its own owner. */
function respondForPhone(
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
      // No other phone becomes primary when the primary one is deleted.
      owner.phones = owner.phones.filter((other) => other !== phone);
      return { status: 204 };
  }
}

/** Creates a phone. The first one of an owner is primary unless the body says otherwise. */
function createPhone(owner: Owner, body: Body, id: number): Phone {
  const isFirst = owner.phones.length === 0;
  const phone = { id, digits: '', phone_type: null, is_primary: isFirst };
  owner.phones.push(phone);
  return updatePhone(owner, phone, body);
}

/** Changes the fields in the body. When a phone becomes primary, no other phone of the owner stays so. */
function updatePhone(owner: Owner, phone: Phone, { digits, phone_type, is_primary }: Body): Phone {
  if (typeof digits === 'string') phone.digits = digits.trim();
  if (phone_type === null) phone.phone_type = null;
  if (typeof phone_type === 'string') phone.phone_type = phone_type.trim() || null;
  if (is_primary === true) for (const other of owner.phones) other.is_primary = false;
  if (typeof is_primary === 'boolean') phone.is_primary = is_primary;
  return phone;
}

/** Whether a value is valid for a field. The ID is read-only, so any value is accepted and ignored. */
const IS_VALID: Record<string, ((value: unknown) => boolean) | undefined> = {
  id: () => true,
  digits: (value) => isText(value) && /\p{Nd}/u.test(value),
  phone_type: (value) => value === null || isBlank(value) || isText(value),
  is_primary: (value) => typeof value === 'boolean',
};

/**
 * Validates the body, if there is one. Only `digits` is required, and only to create a phone. @returns the invalid
 * fields
 */
function validateBody(request: ModelRequest): string[] {
  if (!('body' in request)) return [];
  const { operation, body } = request;
  const invalid = Object.keys(body).filter((field) => !IS_VALID[field]?.(body[field]));
  return operation === 'create' && !('digits' in body) ? [...invalid, 'digits'].sort() : invalid.sort();
}

/** Whether a value is a string of white space. JavaScript trims U+FEFF, but to Unicode it is a format character. */
function isBlank(value: unknown): boolean {
  return typeof value === 'string' && value.trim() === '' && !value.includes('\uFEFF');
}

/** The requests contain no emoji, in which some of these characters are valid. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{DI}\u{16FE4}\u2800\u{13441}\u{13442}\u{1D159}]/u;

/** Whether a value is a string of 1 to 255 visible code points, not counting surrounding white space. */
function isText(value: unknown): value is string {
  if (typeof value !== 'string' || value.includes('\uFEFF') || !value.isWellFormed()) return false;
  const text = value.trim();
  return text !== '' && Array.from(text).length <= 255 && !INVISIBLE.test(text);
}

import { BadRequestException, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiParam } from '@nestjs/swagger';
import { isId, MAX_ID } from '../validation/id.js';
import { notFound } from './problem-details.js';

/** No slug has other characters. NUL, which a path can hold and text in PostgreSQL cannot, is one of those. */
const SLUG_CHARACTERS = /^[a-z0-9-]+$/;

/** The path in a URL, without the slash that it may end with. */
export function pathOf(url: string): string {
  return url.replace(/[?#].*$/s, '').replace(/\/$/, '');
}

/** A resource as its path names it: a number is its ID, a string its slug. */
export type IdOrSlug = number | string;

/** The condition that finds a resource by what its path names it. */
export function whereIdOrSlug(key: IdOrSlug): { id: number } | { slug: string } {
  return typeof key === 'number' ? { id: key } : { slug: key };
}

/**
 * What a part of a path names. An ID and a slug cannot be mistaken for each other, as no slug is all digits.
 *
 * @returns undefined for what can be neither
 */
export function parseIdOrSlug(value: string): IdOrSlug | undefined {
  if (!/^\d+$/.test(value)) return SLUG_CHARACTERS.test(value) ? value : undefined;
  const id = Number(value);
  return isId(id) ? id : undefined;
}

/**
 * A parameter of the path, read when a handler is called. Unlike a pipe, which Nest awaits, it needs no promise.
 *
 * @param read turns the text of the path into what the handler gets, or throws
 */
function pathParameter(name: string, read: (value: string) => IdOrSlug): () => ParameterDecorator {
  const decorate = createParamDecorator((_: unknown, context: ExecutionContext) => {
    const { params } = context.switchToHttp().getRequest<{ params: Record<string, string> }>();
    return read(params[name] ?? '');
  });
  return () => decorate();
}

/** @throws NotFoundException for what can be neither */
const readIdOrSlug = (resource: string) => (value: string) => {
  const key = parseIdOrSlug(value);
  if (key === undefined) throw notFound(resource);
  return key;
};

/** @throws NotFoundException for what can be no ID */
const readId = (resource: string) => (value: string) => {
  const id = parseIdOrSlug(value);
  if (typeof id !== 'number') throw notFound(resource);
  return id;
};

/**
 * @throws BadRequestException for what is not an integer
 * @throws NotFoundException for an integer that can be no ID
 */
function readPhoneId(value: string): number {
  if (!/^-?\d+$/.test(value)) throw new BadRequestException('The id of a phone must be an integer.');
  const id = Number(value);
  if (!isId(id)) throw notFound('phone');
  return id;
}

export const OrganizationId = pathParameter('organization_id', readIdOrSlug('organization'));
export const OpportunityId = pathParameter('opportunity_id', readIdOrSlug('opportunity'));
export const LocationId = pathParameter('location_id', readId('location'));
export const ClientId = pathParameter('id', readId('client'));
export const KeyId = pathParameter('key_id', readId('key'));
export const PhoneId = pathParameter('id', readPhoneId);

const ID = { type: 'integer', minimum: 1, maximum: MAX_ID } as const;
const ID_OR_SLUG = { type: 'string', pattern: SLUG_CHARACTERS.source } as const;

/** What the OpenAPI document says of each of these parameters. The examples are there once the seed has run, those of clients once the first was created. */
export const ApiOrganizationId = () =>
  ApiParam({
    name: 'organization_id',
    description: 'The ID or the slug of the organization.',
    schema: { ...ID_OR_SLUG, example: 'compass-family-services' },
  });
export const ApiOpportunityId = () =>
  ApiParam({
    name: 'opportunity_id',
    description: 'The ID or the slug of the opportunity.',
    schema: { ...ID_OR_SLUG, example: 'rental-assistance' },
  });
export const ApiLocationId = () =>
  ApiParam({ name: 'location_id', description: 'The ID of the location.', schema: { ...ID, example: 1 } });
export const ApiPhoneId = (example: number) =>
  ApiParam({ name: 'id', description: 'The ID of the phone.', schema: { ...ID, example } });
export const ApiClientId = () =>
  ApiParam({ name: 'id', description: 'The ID of the client.', schema: { ...ID, example: 1 } });
export const ApiKeyId = () =>
  ApiParam({ name: 'key_id', description: 'The ID of the key.', schema: { ...ID, example: 2 } });

import { BadRequestException, Param } from '@nestjs/common';
import { ApiParam } from '@nestjs/swagger';
import { isId, MAX_ID } from '../validation/id.js';
import { notFound } from './problem-details.js';

/** The characters of slugs. Text in PostgreSQL cannot contain NUL, but a path can. */
const SLUG = /^[a-z0-9-]+$/;

/** A path parameter that identifies a resource: its ID (a number) or its slug (a string). */
export type IdOrSlug = number | string;

/** @returns the ID or the slug; undefined if the text can be neither. No slug is all digits. */
export function toIdOrSlug(text: string): IdOrSlug | undefined {
  if (!/^\d+$/.test(text)) return SLUG.test(text) ? text : undefined;
  const id = Number(text);
  return isId(id) ? id : undefined;
}

/** @throws NotFoundException when the text is neither an ID nor a slug */
export function parseIdOrSlug(text: string, resource: string): IdOrSlug {
  const idOrSlug = toIdOrSlug(text);
  if (idOrSlug === undefined) throw notFound(resource);
  return idOrSlug;
}

/**
 * @throws BadRequestException when the text is not an integer
 * @throws NotFoundException when the integer cannot be an ID
 */
export function parseId(text: string, resource: string): number {
  if (!/^-?\d+$/.test(text)) throw new BadRequestException(`The id of a ${resource} must be an integer.`);
  const id = toIdOrSlug(text);
  if (typeof id !== 'number') throw notFound(resource);
  return id;
}

/** The `where` condition of TypeORM that finds a resource by its ID or slug. */
export function whereIdOrSlug(idOrSlug: IdOrSlug): { id: number } | { slug: string } {
  return typeof idOrSlug === 'number' ? { id: idOrSlug } : { slug: idOrSlug };
}

/** @returns the path of a URL as it was sent */
export function rawPathOf(url: string): string {
  return url.replace(/[?#].*$/s, '');
}

/** @returns the path of a URL, without a trailing slash */
export function pathOf(url: string): string {
  return rawPathOf(url).replace(/\/$/, '');
}

/** A parameter decorator with a pipe that parses the parameter. */
const IdParam = (name: string, parse: (text: string, resource: string) => IdOrSlug, resource: string) =>
  Param(name, { transform: (text: string) => parse(text, resource) });

export const OrganizationId = () => IdParam('organization_id', parseIdOrSlug, 'organization');
export const OpportunityId = () => IdParam('opportunity_id', parseIdOrSlug, 'opportunity');
export const LocationId = () => IdParam('location_id', parseId, 'location');
export const ClientId = () => IdParam('id', parseId, 'client');
export const ClientKeyId = () => IdParam('key_id', parseId, 'key');
export const PhoneId = () => IdParam('id', parseId, 'phone');

const ID = { type: 'integer', minimum: 1, maximum: MAX_ID } as const;
const ID_OR_SLUG = { type: 'string', pattern: SLUG.source } as const;

/*
 * The same parameters in the OpenAPI document. The examples exist once the seed has run, those of clients once the
 * first client was created.
 */

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
export const ApiClientKeyId = () =>
  ApiParam({ name: 'key_id', description: 'The ID of the key.', schema: { ...ID, example: 2 } });

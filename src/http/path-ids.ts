import { BadRequestException, Param, type PipeTransform } from '@nestjs/common';
import { ApiParam } from '@nestjs/swagger';
import { notFound } from './problem.js';

/** The largest ID there can be: that of an `integer` column of PostgreSQL. */
const MAX_ID = 2 ** 31 - 1;

/** No slug has other characters. NUL, which a path can hold and text in PostgreSQL cannot, is one of those. */
const SLUG_CHARACTERS = /^[a-z0-9-]+$/;

/** A resource as its path names it: a number is its ID, a string its slug. */
export type IdOrSlug = number | string;

/** The condition that finds a resource by what its path names it. */
export function keyCondition(key: IdOrSlug): { id: number } | { slug: string } {
  return typeof key === 'number' ? { id: key } : { slug: key };
}

/** An ID, or a slug: the two cannot be mistaken, as no slug is all digits. */
class IdOrSlugPipe implements PipeTransform<string, IdOrSlug> {
  constructor(private readonly resource: string) {}

  /** @throws NotFoundException for what can be neither */
  transform(value: string): IdOrSlug {
    if (/^\d+$/.test(value)) return existingId(Number(value), this.resource);
    if (!SLUG_CHARACTERS.test(value)) throw notFound(this.resource);
    return value;
  }
}

class IdPipe implements PipeTransform<string, number> {
  constructor(private readonly resource: string) {}

  /** @throws NotFoundException for what can be no ID */
  transform(value: string): number {
    if (!/^\d+$/.test(value)) throw notFound(this.resource);
    return existingId(Number(value), this.resource);
  }
}

class PhoneIdPipe implements PipeTransform<string, number> {
  /**
   * @throws BadRequestException for what is not an integer
   * @throws NotFoundException for an integer that can be no ID
   */
  transform(value: string): number {
    if (!/^-?\d+$/.test(value)) throw new BadRequestException('The id of a phone must be an integer.');
    return existingId(Number(value), 'phone');
  }
}

function existingId(id: number, resource: string): number {
  if (id < 1 || id > MAX_ID) throw notFound(resource);
  return id;
}

export const OrganizationId = () => Param('organization_id', new IdOrSlugPipe('organization'));
export const OpportunityId = () => Param('opportunity_id', new IdOrSlugPipe('opportunity'));
export const LocationId = () => Param('location_id', new IdPipe('location'));
export const PhoneId = () => Param('id', new PhoneIdPipe());

const ID = { type: 'integer', minimum: 1, maximum: MAX_ID } as const;
const ID_OR_SLUG = { type: 'string', pattern: SLUG_CHARACTERS.source } as const;

/** What the OpenAPI document says of each of these parameters. The examples are there once the seed has run. */
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

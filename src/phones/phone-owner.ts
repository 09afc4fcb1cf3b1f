import { Param, type PipeTransform } from '@nestjs/common';
import { type IdOrSlug, parseId, parseIdOrSlug } from '../common/path-params.js';

/** The types of owner. The entity, the SQL and the routes use the same names. */
export const OWNER_TYPES = ['organization', 'opportunity', 'location'] as const;

export type OwnerType = (typeof OWNER_TYPES)[number];

/** Whose phones a request is about, as given in its path. */
export type PhoneOwner =
  | { type: 'organization'; id: IdOrSlug }
  | { type: 'opportunity'; id: IdOrSlug; organization: IdOrSlug }
  | { type: 'location'; id: number; organization: IdOrSlug };

interface OwnerParams {
  organization_id: string;
  opportunity_id: string;
  location_id: string;
}

class ParsePhoneOwnerPipe implements PipeTransform<OwnerParams, PhoneOwner> {
  constructor(private readonly type: OwnerType) {}

  /** @throws NotFoundException when a part of the path is neither an ID nor a slug */
  transform({ organization_id, opportunity_id, location_id }: OwnerParams): PhoneOwner {
    const { type } = this;
    const organization = parseIdOrSlug(organization_id, 'organization');
    switch (type) {
      case 'organization':
        return { type, id: organization };
      case 'opportunity':
        return { type, id: parseIdOrSlug(opportunity_id, type), organization };
      case 'location':
        return { type, id: parseId(location_id, type), organization };
    }
  }
}

/** The owner that the path of the request names. */
export const PhoneOwnerParam = (type: OwnerType) => Param(new ParsePhoneOwnerPipe(type));

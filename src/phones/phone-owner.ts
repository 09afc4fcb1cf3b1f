import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { type IdOrSlug, parseId, parseIdOrSlug } from '../common/path-params.js';

/** The types of owner. The entity, the SQL and the routes use the same names. */
export const OWNER_TYPES = ['organization', 'opportunity', 'location'] as const;

export type OwnerType = (typeof OWNER_TYPES)[number];

/** The owner that the path of a request names. */
export type PhoneOwner =
  | { type: 'organization'; id: IdOrSlug }
  | { type: 'opportunity'; id: IdOrSlug; organization: IdOrSlug }
  | { type: 'location'; id: number; organization: IdOrSlug };

/** The path parameters of a route. Which of them there are depends on the type of owner. */
interface OwnerParams {
  organization_id: string;
  opportunity_id: string;
  location_id: string;
}

/**
 * The owner that the path of the request names. Unlike a pipe, a parameter decorator is not awaited, which lists
 * notice.
 *
 * @throws NotFoundException when a part of the path is neither an ID nor a slug
 * @throws BadRequestException when the ID of a location is not an integer
 */
export const PhoneOwnerParam = createParamDecorator((type: OwnerType, context: ExecutionContext) =>
  parsePhoneOwner(type, context.switchToHttp().getRequest<{ params: OwnerParams }>().params),
);

function parsePhoneOwner(type: OwnerType, params: OwnerParams): PhoneOwner {
  const organization = parseIdOrSlug(params.organization_id, 'organization');
  switch (type) {
    case 'organization':
      return { type, id: organization };
    case 'opportunity':
      return { type, id: parseIdOrSlug(params.opportunity_id, type), organization };
    case 'location':
      return { type, id: parseId(params.location_id, type), organization };
  }
}

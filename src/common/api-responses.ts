import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { DETAIL_BY_STATUS, ProblemDetails, PROBLEM_JSON } from './problem-details.js';

const DESCRIPTIONS = {
  ...DETAIL_BY_STATUS,
  400: 'The URL or a field is invalid; `errors` lists invalid fields.',
  401: 'The API key is absent, malformed, unknown, expired or revoked.',
  403: 'The client of the API key lacks a permission; `detail` says which.',
  404: 'A resource in the path does not exist; `detail` names the first one.',
  409: 'The request conflicts with the current state; `detail` says how.',
  412: 'The precondition in `If-Match` or `If-None-Match` failed; nothing was changed.',
  429: 'The client or the address has exceeded its rate limit.',
} as const;

const RETRY_AFTER = {
  'Retry-After': {
    description: 'After how many seconds to retry.',
    schema: { type: 'integer' as const },
  },
};

const HEADERS = {
  401: {
    'WWW-Authenticate': {
      description: 'How to authenticate (RFC 6750).',
      schema: { type: 'string' as const },
    },
  },
  429: RETRY_AFTER,
  503: RETRY_AFTER,
};

/** The OpenAPI response object of an error status. */
export function problemResponse(status: keyof typeof DESCRIPTIONS) {
  return {
    description: DESCRIPTIONS[status],
    content: { [PROBLEM_JSON]: { schema: { $ref: getSchemaPath(ProblemDetails) } } },
    ...(status in HEADERS && { headers: HEADERS[status as keyof typeof HEADERS] }),
  };
}

/**
 * Documents the error responses of an operation. Those that every operation has are included. Those of authentication
 * and rate limits depend on the settings, and are added to the whole document.
 */
export const ApiProblems = (...statuses: (keyof typeof DESCRIPTIONS)[]) =>
  applyDecorators(
    ApiExtraModels(ProblemDetails),
    ...[...statuses, ...([400, 408, 412, 414, 421, 431] as const)].map((status) =>
      ApiResponse({ status, ...problemResponse(status) }),
    ),
  );

/** The header of a 201 response. */
export const LOCATION_HEADER = {
  Location: { description: 'The path of the created resource.', schema: { type: 'string' as const } },
};

/** The header of a phone, and of every response to a read. */
export const ETAG_HEADER = {
  ETag: {
    description: 'The entity tag of the response (RFC 9110, section 8.8.3).',
    schema: { type: 'string' as const },
  },
};

/** The header of a page of a list. */
export const LINK_HEADER = {
  Link: {
    description: 'The `first`, `prev`, `next` and `last` page, as far as they exist (RFC 8288).',
    schema: { type: 'string' as const },
  },
};

/** Documents the response of a successful health check. */
export const ApiHealthy = () =>
  ApiResponse({
    status: 200,
    description: 'The check succeeded.',
    schema: {
      type: 'object',
      required: ['status'],
      properties: { status: { type: 'string', example: 'ok' } },
    },
  });

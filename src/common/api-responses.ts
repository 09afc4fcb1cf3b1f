import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { DETAIL_BY_STATUS, ProblemDetails, PROBLEM_JSON } from './problem-details.js';

const DESCRIPTIONS = {
  ...DETAIL_BY_STATUS,
  400: 'The URL or a value is not what it may be; `errors` says which value.',
  401: 'There is no API key, or it is mistyped, unknown, expired or revoked.',
  403: 'The client of the API key has not the right; `detail` says what is missing.',
  404: 'Something that the path names is not there.',
  409: 'It cannot be done as things are; `detail` says what stands in the way.',
  412: 'It is not as `If-Match` or `If-None-Match` says; nothing was done.',
  429: 'The client, or the address, has sent too many requests.',
} as const;

const RETRY_AFTER = {
  'Retry-After': {
    description: 'After how many seconds to try again.',
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

/** What the OpenAPI document says of a problem that is answered with a status. */
export function problemResponse(status: keyof typeof DESCRIPTIONS) {
  return {
    description: DESCRIPTIONS[status],
    content: { [PROBLEM_JSON]: { schema: { $ref: getSchemaPath(ProblemDetails) } } },
    ...(status in HEADERS && { headers: HEADERS[status as keyof typeof HEADERS] }),
  };
}

/**
 * Documents the problems that an operation can answer with; 400, 408, 412, 414 and 431 are among those of every one.
 * Those of keys and rate limits depend on the settings and are added to the whole document.
 */
export const ApiProblems = (...statuses: (keyof typeof DESCRIPTIONS)[]) =>
  applyDecorators(
    ApiExtraModels(ProblemDetails),
    ...[...statuses, ...([400, 408, 412, 414, 431] as const)].map((status) =>
      ApiResponse({ status, ...problemResponse(status) }),
    ),
  );

/** The header of a 201. */
export const ApiLocationHeader = {
  Location: { description: 'The path of what was created.', schema: { type: 'string' as const } },
};

/** The header of a phone, and of every answer to a read. */
export const ApiEtagHeader = {
  ETag: {
    description: 'The entity tag of the state that this is (RFC 9110, section 8.8.3).',
    schema: { type: 'string' as const },
  },
};

/** The header of a page of a list. */
export const ApiLinkHeader = {
  Link: {
    description: 'The `first`, `prev`, `next` and `last` page, those that there are (RFC 8288).',
    schema: { type: 'string' as const },
  },
};

/** Documents the answer of a health check. */
export const ApiHealthy = () =>
  ApiResponse({
    status: 200,
    description: 'All is well.',
    schema: {
      type: 'object',
      required: ['status'],
      properties: { status: { type: 'string', example: 'ok' } },
    },
  });

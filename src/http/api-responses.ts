import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { DETAILS, Problem, PROBLEM_JSON } from './problem.js';

const DESCRIPTIONS = {
  ...DETAILS,
  400: 'The URL or a value is not what it may be; `errors` says which value.',
  404: 'Something that the path names is not there.',
} as const;

/** Documents the problems that an operation can answer with; 400, 408 and 431 are among those of every one. */
export const ApiProblems = (...statuses: (keyof typeof DESCRIPTIONS)[]) =>
  applyDecorators(
    ApiExtraModels(Problem),
    ...[...statuses, 400 as const, 408 as const, 431 as const].map((status) =>
      ApiResponse({
        status,
        description: DESCRIPTIONS[status],
        content: { [PROBLEM_JSON]: { schema: { $ref: getSchemaPath(Problem) } } },
        ...(status === 503 && {
          headers: {
            'Retry-After': {
              description: 'After how many seconds to try again.',
              schema: { type: 'integer' },
            },
          },
        }),
      }),
    ),
  );

/** The header of a 201. */
export const ApiLocationHeader = {
  Location: { description: 'The path of what was created.', schema: { type: 'string' as const } },
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

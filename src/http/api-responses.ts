import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { Problem, PROBLEM_JSON } from './problem.js';

const DESCRIPTIONS = {
  400: 'A value is not what it may be; `errors` says which.',
  404: 'Something that the path names is not there.',
  413: 'The body is larger than 64 KiB.',
  415: 'The body is not JSON.',
  431: 'The headers are larger than 16 KiB.',
  503: 'The database cannot be reached or did not answer in time.',
} as const;

/** Documents the problems that an operation can answer with; 431 is among those of every operation. */
export const ApiProblems = (...statuses: (keyof typeof DESCRIPTIONS)[]) =>
  applyDecorators(
    ApiExtraModels(Problem),
    ...[...statuses, 431 as const].map((status) =>
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
export const ApiLocation = {
  Location: { description: 'The path of what was created.', schema: { type: 'string' as const } },
};

/** The header of a page of a list. */
export const ApiLink = {
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

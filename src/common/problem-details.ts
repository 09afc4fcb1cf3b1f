import { STATUS_CODES } from 'node:http';
import { BadRequestException, HttpException, NotFoundException, UnauthorizedException } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

export const PROBLEM_JSON = 'application/problem+json';

/** How many field errors a response lists. */
const MAX_FIELD_ERRORS = 20;

/** A field error in a body or a query. Either `pointer` or `parameter` is present. */
export class FieldError {
  @ApiPropertyOptional({
    description: 'The field of the body, as a JSON Pointer (RFC 6901).',
    example: '/digits',
  })
  pointer?: string;

  @ApiPropertyOptional({ description: 'The query parameter.', example: 'page' })
  parameter?: string;

  @ApiProperty({ example: 'must contain at least one digit' })
  detail!: string;
}

/** The body of every error response (RFC 9457). */
export class ProblemDetails {
  @ApiProperty({ format: 'uri-reference', example: 'about:blank' })
  type!: string;

  @ApiProperty({ example: 'Bad Request' })
  title!: string;

  @ApiProperty({ type: 'integer', example: 400 })
  status!: number;

  @ApiProperty({ example: 'The body is invalid; see errors.' })
  detail!: string;

  @ApiPropertyOptional({
    type: [FieldError],
    maxItems: MAX_FIELD_ERRORS,
    description: 'The field errors. If there are more, `detail` says how many are not listed.',
  })
  errors?: FieldError[];

  @ApiProperty({
    description:
      'The ID of the request, also in `X-Request-Id`. Please quote it when you report the problem.',
    example: '7f0c8f9e-4d0a-4a39-9a0e-0d4f3d0c6f55',
  })
  request_id!: string;
}

/** Problem details without the ID of a request. */
export type UnsentProblemDetails = Omit<ProblemDetails, 'request_id'>;

/** The `detail` of each status that has the same cause on every route, for responses and the OpenAPI document. */
export const DETAIL_BY_STATUS = {
  408: 'The request did not arrive in time.',
  413: 'The body is larger than 64 KiB.',
  414: 'The URL is longer than 8 KiB.',
  415: 'The body must be JSON, not compressed, with Content-Type: application/json.',
  421: 'The service does not serve this host. Its operator can add the host to ALLOWED_HOSTS.',
  431: 'The headers are larger than 16 KiB.',
  503: 'The database is unavailable or too slow. Retry later.',
} as const;

/** Creates problem details whose meaning is that of the HTTP status (RFC 9457, section 4.2.1). */
export function createProblemDetails(
  status: number,
  detail: string,
  errors?: FieldError[],
): UnsentProblemDetails {
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail,
    ...(errors && { errors }),
  };
}

/**
 * Sends problem details as a string, because Fastify would serialize an object with the response schema of the route.
 */
export function sendProblem(reply: FastifyReply, problem: UnsentProblemDetails): void {
  void reply.status(problem.status).type(PROBLEM_JSON).send(serializeProblem(problem, reply.request.id));
}

/** @returns the body of a response with problem details */
export function serializeProblem(problem: UnsentProblemDetails, requestId: string): string {
  return JSON.stringify({ ...problem, request_id: requestId } satisfies ProblemDetails);
}

/** 404: the resource does not exist, or not at this path. */
export function notFound(resource: string): NotFoundException {
  return new NotFoundException(`There is no such ${resource}.`);
}

/** 400: a body or a query has invalid fields, of which the first 20 are listed. */
export class ValidationException extends BadRequestException {
  readonly errors: FieldError[];

  constructor(part: 'body' | 'query', errors: FieldError[]) {
    const unlisted = errors.length - MAX_FIELD_ERRORS;
    const rest = unlisted > 0 ? ` Errors that are not listed: ${unlisted}.` : '';
    super(`The ${part} is invalid; see errors.${rest}`);
    this.errors = errors.slice(0, MAX_FIELD_ERRORS);
  }
}

/** 409 or 503: the same request may succeed if it is sent again a little later. */
export class RetryableException extends HttpException {
  /** After how many seconds a client should retry. */
  readonly retryAfter = 1;

  constructor(status: 409 | 503, detail: string) {
    super(detail, status);
  }
}

/**
 * 401, with a challenge for `WWW-Authenticate`, which names an error if the request carried a key (RFC 6750, section
 * 3).
 */
export class UnauthenticatedException extends UnauthorizedException {
  readonly challenge: string;

  constructor(detail = 'An API key is required.', error?: 'invalid_token') {
    super(detail);
    this.challenge = `Bearer realm="phones"${error === undefined ? '' : `, error="${error}"`}`;
  }
}

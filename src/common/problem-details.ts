import { STATUS_CODES } from 'node:http';
import { BadRequestException, HttpException, NotFoundException, UnauthorizedException } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

export const PROBLEM_JSON = 'application/problem+json';

/** One thing that is wrong with a request. */
export class FieldError {
  @ApiPropertyOptional({
    description: 'Where in the body it is: a JSON Pointer (RFC 6901).',
    example: '/digits',
  })
  pointer?: string;

  @ApiPropertyOptional({ description: 'Which parameter of the query it is.', example: 'page' })
  parameter?: string;

  @ApiProperty({ example: 'must contain at least one digit' })
  detail!: string;
}

/** A problem document (RFC 9457). */
export class ProblemDetails {
  @ApiProperty({ format: 'uri-reference', example: 'about:blank' })
  type!: string;

  @ApiProperty({ example: 'Bad Request' })
  title!: string;

  @ApiProperty({ type: 'integer', example: 400 })
  status!: number;

  @ApiProperty({ example: 'The body is invalid; see errors.' })
  detail!: string;

  @ApiPropertyOptional({ type: [FieldError], description: 'All that is wrong with the request, at once.' })
  errors?: FieldError[];
}

/** What each status means wherever it is answered, in the answers and in the OpenAPI document. */
export const DETAIL_BY_STATUS = {
  408: 'The request did not arrive in time.',
  413: 'The body is larger than 64 KiB.',
  414: 'The URL is longer than 8 KiB.',
  415: 'The body must be JSON, not compressed, with Content-Type: application/json.',
  431: 'The headers are larger than 16 KiB.',
  503: 'The database cannot be reached or did not answer in time. Try again soon: what was sent with an Idempotency-Key creates nothing twice.',
} as const;

/** The 404 of a resource whose path leads nowhere. */
export function notFound(resource: string): NotFoundException {
  return new NotFoundException(`There is no such ${resource}.`);
}

/** The members of a problem whose meaning is that of its HTTP status (RFC 9457, section 4.2.1). */
export function problemDetails(status: number, detail: string, errors?: FieldError[]): ProblemDetails {
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail,
    ...(errors && { errors }),
  };
}

/** Sends a problem document: as a string, because the route's own schema and serializer must not touch it. */
export function sendProblem(reply: FastifyReply, problem: ProblemDetails): void {
  void reply.status(problem.status).type(PROBLEM_JSON).send(JSON.stringify(problem));
}

/** 400 for a body or query with faults. */
export class ValidationException extends BadRequestException {
  constructor(
    part: 'body' | 'query',
    readonly errors: FieldError[],
  ) {
    super(`The ${part} is invalid; see errors.`);
  }
}

/** What cannot be done now, and can a little later. */
export class RetryableException extends HttpException {
  /** After how many seconds to try again. */
  readonly retryAfter = 1;

  constructor(status: 409 | 503, detail: string) {
    super(detail, status);
  }
}

/** 401, with what `WWW-Authenticate` says: which scheme there is, and an error where a key was sent (RFC 6750, section 3). */
export class UnauthenticatedException extends UnauthorizedException {
  readonly challenge: string;

  constructor(detail = 'This needs an API key.', error?: 'invalid_token') {
    super(detail);
    this.challenge = `Bearer realm="phones"${error === undefined ? '' : `, error="${error}"`}`;
  }
}

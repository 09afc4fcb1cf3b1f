import { STATUS_CODES } from 'node:http';
import { BadRequestException } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

export const PROBLEM_JSON = 'application/problem+json';

/** One thing that is wrong with a request. */
export class Fault {
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
export class Problem {
  @ApiProperty({ format: 'uri-reference', example: 'about:blank' })
  type!: string;

  @ApiProperty({ example: 'Bad Request' })
  title!: string;

  @ApiProperty({ type: 'integer', example: 400 })
  status!: number;

  @ApiProperty({ example: 'The body was refused; errors says why.' })
  detail!: string;

  @ApiPropertyOptional({ type: [Fault], description: 'All that is wrong with the request, at once.' })
  errors?: Fault[];
}

/** The members of a problem whose meaning is that of its HTTP status (RFC 9457, section 4.2.1). */
export function problem(status: number, detail: string, errors?: Fault[]): Problem {
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail,
    ...(errors && { errors }),
  };
}

/** 400 for a body or query with faults. */
export class FaultyRequestException extends BadRequestException {
  constructor(
    part: 'body' | 'query',
    readonly faults: Fault[],
  ) {
    super(`The ${part} was refused; errors says why.`);
  }
}

import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { Dialing } from '../../dialing/dialing.js';
import type { CountryCode } from '../../dialing/phone-number-library.js';
import { PhoneDto } from './phone.dto.js';

/** What a phone dials. */
export class DialingDto implements Dialing {
  @ApiProperty({ description: 'The `tel:` URI (RFC 3966).', example: 'tel:+14155550132;ext=307' })
  uri!: string;

  @ApiProperty({
    description: 'The number in E.164 format; null for a short code.',
    type: String,
    nullable: true,
    example: '+14155550132',
  })
  e164!: string | null;

  @ApiProperty({
    description: 'What is dialed once the call is connected.',
    type: String,
    nullable: true,
    example: '307',
  })
  extension!: string | null;

  @ApiProperty({
    description: 'The number as it is written for callers from other countries; null for a short code.',
    type: String,
    nullable: true,
    example: '+1 415 555 0132',
  })
  international!: string | null;

  @ApiProperty({
    description: 'The country of the number (ISO 3166-1 alpha-2); null if several share it.',
    type: String,
    nullable: true,
    example: 'US',
  })
  country!: CountryCode | null;

  @ApiProperty({ description: 'Whether the numbering plan has such a number.', example: true })
  valid!: boolean;
}

const DIALING = {
  type: DialingDto,
  nullable: true,
  description: 'What the phone dials; null if nothing, or more than one number.',
} as const;

/** A phone that was requested with `include=dialing`, or without. */
export class PhoneWithDialingDto extends PhoneDto {
  @ApiPropertyOptional({ ...DIALING, description: `Only with \`include=dialing\`. ${DIALING.description}` })
  dialing?: DialingDto | null;
}

/** The JSON Schema of `dialing`, by which Fastify serializes it. */
export const DIALING_SCHEMA = {
  type: 'object',
  nullable: true,
  properties: {
    uri: { type: 'string' },
    e164: { type: 'string', nullable: true },
    extension: { type: 'string', nullable: true },
    international: { type: 'string', nullable: true },
    country: { type: 'string', nullable: true },
    valid: { type: 'boolean' },
  } satisfies Record<keyof Dialing, object>,
} as const;

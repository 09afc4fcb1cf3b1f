import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { OptionalBody } from '../../common/request-validation.pipe.js';
import { IsFutureDateTime } from '../../validation/date-time.js';
import { OptionalNotNull } from '../../validation/text.js';

const DATE_TIME = { type: String, format: 'date-time' } as const;

export class ApiKeyDto {
  @ApiProperty({ description: 'Unique ID of the key.', type: 'integer', example: 1 })
  id!: number;

  @ApiProperty({ description: 'The beginning of the key, to recognize it.', example: 'phones_4f0c81d2' })
  prefix!: string;

  @ApiProperty({
    ...DATE_TIME,
    description: 'When the key was created.',
    example: '2026-11-23T09:41:07.112Z',
  })
  created_at!: Date;

  @ApiProperty({
    ...DATE_TIME,
    nullable: true,
    description: 'When the key was last used, to the hour; null if it was never used.',
    example: '2026-11-23T10:00:00.000Z',
  })
  last_used_at!: Date | null;

  @ApiProperty({
    ...DATE_TIME,
    nullable: true,
    description: 'When the key expires; null if it does not.',
    example: null,
  })
  expires_at!: Date | null;
}

export class NewApiKeyDto extends ApiKeyDto {
  @ApiProperty({
    description: 'The key, shown only once. It is not stored and cannot be shown again.',
    example: 'phones_…',
  })
  key!: string;
}

@OptionalBody()
export class CreateApiKeyDto {
  @ApiPropertyOptional({
    ...DATE_TIME,
    description:
      'When the current key of the client expires (RFC 3339), unless it already expires earlier. If absent, that does not change.',
    example: '2099-12-31T00:00:00Z',
  })
  @OptionalNotNull()
  @IsFutureDateTime()
  expires_at?: Date;
}

import { ApiProperty, ApiPropertyOptional, PartialType } from '@nestjs/swagger';
import { IsBoolean } from 'class-validator';
import { IsIdList, MAX_ID, MAX_LISTED_IDS } from '../../validation/id.js';
import { IsReadOnly } from '../../validation/read-only.js';
import { IsText, MAX_TEXT_LENGTH, OptionalNotNull } from '../../validation/text.js';
import { ApiKeyDto } from './api-key.dto.js';

const ID_LIST = { type: 'integer', isArray: true, uniqueItems: true, minimum: 1, maximum: MAX_ID } as const;

export class ClientDto {
  @ApiProperty({ description: 'Unique ID of the client.', type: 'integer', example: 1 })
  id!: number;

  @ApiProperty({ description: 'The name of the client.', example: 'Compass intake desk' })
  name!: string;

  @ApiProperty({ description: 'Whether the client is an admin, who may do everything.', example: false })
  is_admin!: boolean;

  @ApiProperty({
    ...ID_LIST,
    description:
      'The IDs of the organizations that the client may manage, with everything that belongs to them.',
    example: [1],
  })
  organization_ids!: number[];

  @ApiProperty({ description: 'The keys of the client, by ascending ID.', type: [ApiKeyDto] })
  keys!: ApiKeyDto[];
}

export class NewClientDto extends ClientDto {
  @ApiProperty({
    description: 'The key of the client, shown only once. It is not stored and cannot be shown again.',
    example: 'phones_…',
  })
  key!: string;
}

export class CreateClientDto {
  @IsReadOnly()
  id?: unknown;

  @IsReadOnly()
  keys?: unknown;

  @ApiProperty({
    description: 'The name of the client. Surrounding white space is trimmed.',
    minLength: 1,
    maxLength: MAX_TEXT_LENGTH,
    example: 'Compass intake desk',
  })
  @IsText()
  name!: string;

  @ApiPropertyOptional({
    description:
      'Whether the client is an admin, who may do everything. If absent when a client is created: `false`.',
    example: false,
  })
  @OptionalNotNull()
  @IsBoolean({ message: 'must be true or false' })
  is_admin?: boolean;

  @ApiPropertyOptional({
    ...ID_LIST,
    maxItems: MAX_LISTED_IDS,
    description:
      'The IDs of all organizations that the client may manage. If absent when a client is created: none.',
    example: [1],
  })
  @OptionalNotNull()
  @IsIdList()
  organization_ids?: number[];
}

/** The fields to change. The others stay as they are. */
export class UpdateClientDto extends PartialType(CreateClientDto, { skipNullProperties: false }) {}

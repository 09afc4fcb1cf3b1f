import { ApiProperty, PartialType } from '@nestjs/swagger';
import { IsReadOnly } from '../../validation/read-only.js';
import { IsText, MAX_TEXT_LENGTH } from '../../validation/text.js';

export class LocationDto {
  @ApiProperty({ description: 'Unique ID of the location.', type: 'integer', example: 1 })
  id!: number;

  @ApiProperty({ description: 'The name of the location.', example: 'Central City Office' })
  name!: string;
}

export class CreateLocationDto {
  @IsReadOnly()
  id?: unknown;

  @ApiProperty({
    description: 'The name of the location. Surrounding white space is trimmed.',
    minLength: 1,
    maxLength: MAX_TEXT_LENGTH,
    example: 'Central City Office',
  })
  @IsText()
  name!: string;
}

/** The fields to change. The others stay as they are. */
export class UpdateLocationDto extends PartialType(CreateLocationDto, { skipNullProperties: false }) {}

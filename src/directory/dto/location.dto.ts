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
    description: 'The name of the location; white space around it is trimmed.',
    minLength: 1,
    maxLength: MAX_TEXT_LENGTH,
    example: 'Central City Office',
  })
  @IsText()
  name!: string;
}

/** The fields to change. One that is left out stays as it is. */
export class UpdateLocationDto extends PartialType(CreateLocationDto, { skipNullProperties: false }) {}

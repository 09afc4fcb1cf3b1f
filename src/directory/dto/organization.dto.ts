import { ApiProperty, PartialType } from '@nestjs/swagger';
import { IsReadOnly } from '../../validation/read-only.js';
import { IsText, MAX_TEXT_LENGTH } from '../../validation/text.js';

export class OrganizationDto {
  @ApiProperty({ description: 'Unique ID of the organization.', type: 'integer', example: 1 })
  id!: number;

  @ApiProperty({
    description: 'Identifies the organization in paths. Unique, and never all digits.',
    example: 'compass-family-services',
  })
  slug!: string;

  @ApiProperty({ description: 'The name of the organization.', example: 'Compass Family Services' })
  name!: string;
}

export class CreateOrganizationDto {
  @IsReadOnly()
  id?: unknown;

  @IsReadOnly()
  slug?: unknown;

  @ApiProperty({
    description: 'The name of the organization. Surrounding white space is trimmed.',
    minLength: 1,
    maxLength: MAX_TEXT_LENGTH,
    example: 'Compass Family Services',
  })
  @IsText()
  name!: string;
}

/** The fields to change. The others stay as they are. */
export class UpdateOrganizationDto extends PartialType(CreateOrganizationDto, {
  skipNullProperties: false,
}) {}

import { ApiProperty, PartialType } from '@nestjs/swagger';
import { IsReadOnly } from '../../validation/read-only.js';
import { IsText, MAX_TEXT_LENGTH } from '../../validation/text.js';

export class OpportunityDto {
  @ApiProperty({ description: 'Unique ID of the opportunity.', type: 'integer', example: 1 })
  id!: number;

  @ApiProperty({
    description: 'Identifies the opportunity in paths. Unique, and never all digits.',
    example: 'rental-assistance',
  })
  slug!: string;

  @ApiProperty({ description: 'The title of the opportunity.', example: 'Rental Assistance' })
  title!: string;
}

export class CreateOpportunityDto {
  @IsReadOnly()
  id?: unknown;

  @IsReadOnly()
  slug?: unknown;

  @ApiProperty({
    description: 'The title of the opportunity. Surrounding white space is trimmed.',
    minLength: 1,
    maxLength: MAX_TEXT_LENGTH,
    example: 'Rental Assistance',
  })
  @IsText()
  title!: string;
}

/** The fields to change. The others stay as they are. */
export class UpdateOpportunityDto extends PartialType(CreateOpportunityDto, { skipNullProperties: false }) {}

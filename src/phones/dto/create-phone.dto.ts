import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean } from 'class-validator';
import { IsReadOnly } from '../../validation/read-only.js';
import { IsText, MAX_TEXT_LENGTH, OptionalNotNull } from '../../validation/text.js';

export class CreatePhoneDto {
  @IsReadOnly()
  id?: unknown;

  @ApiProperty({
    description:
      'The phone number, as people write it. Stored character for character; surrounding white space is trimmed.',
    minLength: 1,
    maxLength: MAX_TEXT_LENGTH,
    example: '415-555-0132 x 307',
  })
  @IsText({ digit: true })
  digits!: string;

  @ApiPropertyOptional({
    description: 'What the number is for: free text such as `fax`, `main` or `Livermore Campus Intake`.',
    type: String,
    nullable: true,
    maxLength: MAX_TEXT_LENGTH,
    example: 'Intake',
  })
  @OptionalNotNull()
  @IsText({ nullable: true })
  phone_type?: string | null;

  @ApiPropertyOptional({
    description:
      "Whether it is the owner's primary number. `true` makes all other numbers of the owner `false`. " +
      'If absent when a phone is created: `true` if the owner has no other.',
    example: true,
  })
  @OptionalNotNull()
  @IsBoolean({ message: 'must be true or false' })
  is_primary?: boolean;
}

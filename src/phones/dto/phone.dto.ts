import { ApiProperty } from '@nestjs/swagger';

export class PhoneDto {
  @ApiProperty({ description: 'Unique ID of the phone number.', type: 'integer', example: 1 })
  id!: number;

  @ApiProperty({ description: 'The phone number, as it was written.', example: '415-555-0132 x 307' })
  digits!: string;

  @ApiProperty({ description: 'What the number is for.', type: String, nullable: true, example: 'Intake' })
  phone_type!: string | null;

  @ApiProperty({ description: "Whether it is the owner's primary number.", example: true })
  is_primary!: boolean;
}

import { ApiProperty } from '@nestjs/swagger';
import { IsString } from 'class-validator';
import { PageQuery } from '../../common/pagination.js';
import { OWNER_TYPES, type OwnerType } from '../phone-owner.js';
import { DialingDto } from './dialing.dto.js';
import { PhoneDto } from './phone.dto.js';

export const NUMBER_DETAIL =
  'must be one number that can be dialed, such as 650-555-0103 x 12 or 211 (in a URL, + is written %2B)';

export class PhoneSearchQuery extends PageQuery {
  @ApiProperty({
    description:
      'The number, written in any way. With an extension, only phones with that extension are found. In a URL, a `+` ' +
      'is written `%2B`.',
    type: String,
    example: '(855) 555-0111',
  })
  @IsString({ message: NUMBER_DETAIL })
  number!: string;
}

export class FoundOwnerDto {
  @ApiProperty({ description: 'The type of owner.', enum: OWNER_TYPES, example: 'organization' })
  type!: OwnerType;

  @ApiProperty({ description: 'The ID of the owner.', type: 'integer', example: 1 })
  id!: number;

  @ApiProperty({
    description: 'The name of the organization or location, or the title of the opportunity.',
    example: 'Compass Family Services',
  })
  name!: string;

  @ApiProperty({
    description: 'The path of the owner in this API.',
    example: '/v1/organizations/1',
  })
  path!: string;
}

export class FoundPhoneDto extends PhoneDto {
  @ApiProperty({ description: 'What the phone dials.' })
  dialing!: DialingDto;

  @ApiProperty({ description: 'Whose phone it is.' })
  owner!: FoundOwnerDto;
}

import { PartialType } from '@nestjs/swagger';
import { CreatePhoneDto } from './create-phone.dto.js';

/** The fields to change. The others stay as they are. Null is only allowed where a new phone allows it. */
export class UpdatePhoneDto extends PartialType(CreatePhoneDto, { skipNullProperties: false }) {}

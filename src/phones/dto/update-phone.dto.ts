import { PartialType } from '@nestjs/swagger';
import { CreatePhoneDto } from './create-phone.dto.js';

/** The fields to change. One that is left out stays as it is; null is refused where a new phone refuses it. */
export class UpdatePhoneDto extends PartialType(CreatePhoneDto, { skipNullProperties: false }) {}

import { Body, Controller, Delete, Get, HttpCode, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { IfMatch } from '../common/etag.js';
import { ApiOrganizationId, PhoneId } from '../common/path-params.js';
import { RequestValidationPipe } from '../common/request-validation.pipe.js';
import { IdempotencyKey, type IdempotentRequest } from '../idempotency/idempotency-key.decorator.js';
import {
  ApiCreatePhone,
  ApiDeletePhone,
  ApiGetPhone,
  ApiListPhones,
  ApiUpdatePhone,
} from './phones.openapi.js';
import { CreatePhoneDto } from './dto/create-phone.dto.js';
import type { PhoneWithDialingDto } from './dto/dialing.dto.js';
import { PhoneDto } from './dto/phone.dto.js';
import { UpdatePhoneDto } from './dto/update-phone.dto.js';
import { IncludesDialing } from './include-query.js';
import { type PhoneOwner, PhoneOwnerParam } from './phone-owner.js';
import { PhonesService } from './phones.service.js';

@ApiTags('Phones of organizations')
@ApiOrganizationId()
@Controller({ path: 'organizations/:organization_id/phones', version: '1' })
export class OrganizationPhonesController {
  constructor(private readonly phones: PhonesService) {}

  @Get()
  @ApiListPhones('an organization')
  listOrganizationPhones(
    @PhoneOwnerParam('organization') owner: PhoneOwner,
    @IncludesDialing() includesDialing: boolean,
  ): Promise<string> {
    return this.phones.list(owner, includesDialing);
  }

  @Post()
  @ApiCreatePhone('an organization')
  createOrganizationPhone(
    @PhoneOwnerParam('organization') owner: PhoneOwner,
    @Body(RequestValidationPipe) phone: CreatePhoneDto,
    @IdempotencyKey() request?: IdempotentRequest,
  ): Promise<PhoneDto> {
    return this.phones.create(owner, phone, request);
  }

  @Get(':id')
  @ApiGetPhone('an organization', 1)
  getOrganizationPhone(
    @PhoneOwnerParam('organization') owner: PhoneOwner,
    @PhoneId() id: number,
    @IncludesDialing() includesDialing: boolean,
  ): Promise<PhoneWithDialingDto> {
    return this.phones.get(owner, id, includesDialing);
  }

  @Put(':id')
  @ApiUpdatePhone('an organization', 1)
  updateOrganizationPhone(
    @PhoneOwnerParam('organization') owner: PhoneOwner,
    @PhoneId() id: number,
    @Body(RequestValidationPipe) changes: UpdatePhoneDto,
    @IfMatch() entityTags?: string[],
  ): Promise<PhoneDto> {
    return this.phones.update(owner, id, changes, entityTags);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiDeletePhone('an organization', 1)
  deleteOrganizationPhone(
    @PhoneOwnerParam('organization') owner: PhoneOwner,
    @PhoneId() id: number,
    @IfMatch() entityTags?: string[],
  ): Promise<void> {
    return this.phones.delete(owner, id, entityTags);
  }
}

import { Body, Controller, Delete, Get, HttpCode, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { IfMatch } from '../common/etag.js';
import { ApiOpportunityId, ApiOrganizationId, PhoneId } from '../common/path-params.js';
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

@ApiTags('Phones of opportunities')
@ApiOrganizationId()
@ApiOpportunityId()
@Controller({ path: 'organizations/:organization_id/opportunities/:opportunity_id/phones', version: '1' })
export class OpportunityPhonesController {
  constructor(private readonly phones: PhonesService) {}

  @Get()
  @ApiListPhones('an opportunity')
  listOpportunityPhones(
    @PhoneOwnerParam('opportunity') owner: PhoneOwner,
    @IncludesDialing() includesDialing: boolean,
  ): Promise<string> {
    return this.phones.list(owner, includesDialing);
  }

  @Post()
  @ApiCreatePhone('an opportunity')
  createOpportunityPhone(
    @PhoneOwnerParam('opportunity') owner: PhoneOwner,
    @Body(RequestValidationPipe) phone: CreatePhoneDto,
    @IdempotencyKey() request?: IdempotentRequest,
  ): Promise<PhoneDto> {
    return this.phones.create(owner, phone, request);
  }

  @Get(':id')
  @ApiGetPhone('an opportunity', 2)
  getOpportunityPhone(
    @PhoneOwnerParam('opportunity') owner: PhoneOwner,
    @PhoneId() id: number,
    @IncludesDialing() includesDialing: boolean,
  ): Promise<PhoneWithDialingDto> {
    return this.phones.get(owner, id, includesDialing);
  }

  @Put(':id')
  @ApiUpdatePhone('an opportunity', 2)
  updateOpportunityPhone(
    @PhoneOwnerParam('opportunity') owner: PhoneOwner,
    @PhoneId() id: number,
    @Body(RequestValidationPipe) changes: UpdatePhoneDto,
    @IfMatch() entityTags?: string[],
  ): Promise<PhoneDto> {
    return this.phones.update(owner, id, changes, entityTags);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiDeletePhone('an opportunity', 2)
  deleteOpportunityPhone(
    @PhoneOwnerParam('opportunity') owner: PhoneOwner,
    @PhoneId() id: number,
    @IfMatch() entityTags?: string[],
  ): Promise<void> {
    return this.phones.delete(owner, id, entityTags);
  }
}

import { Body, Controller, Delete, Get, HttpCode, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { IfMatch } from '../common/etag.js';
import {
  ApiOpportunityId,
  ApiOrganizationId,
  type IdOrSlug,
  OpportunityId,
  OrganizationId,
  PhoneId,
} from '../common/path-params.js';
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
import { PhoneDto } from './dto/phone.dto.js';
import { UpdatePhoneDto } from './dto/update-phone.dto.js';
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
    @OrganizationId() organization: IdOrSlug,
    @OpportunityId() id: IdOrSlug,
  ): Promise<string> {
    return this.phones.list({ type: 'opportunity', id, organization });
  }

  @Post()
  @ApiCreatePhone('an opportunity')
  createOpportunityPhone(
    @OrganizationId() organization: IdOrSlug,
    @OpportunityId() id: IdOrSlug,
    @Body(RequestValidationPipe) phone: CreatePhoneDto,
    @IdempotencyKey() request?: IdempotentRequest,
  ): Promise<PhoneDto> {
    return this.phones.create({ type: 'opportunity', id, organization }, phone, request);
  }

  @Get(':id')
  @ApiGetPhone('an opportunity', 2)
  getOpportunityPhone(
    @OrganizationId() organization: IdOrSlug,
    @OpportunityId() id: IdOrSlug,
    @PhoneId() phoneId: number,
  ): Promise<PhoneDto> {
    return this.phones.get({ type: 'opportunity', id, organization }, phoneId);
  }

  @Put(':id')
  @ApiUpdatePhone('an opportunity', 2)
  updateOpportunityPhone(
    @OrganizationId() organization: IdOrSlug,
    @OpportunityId() id: IdOrSlug,
    @PhoneId() phoneId: number,
    @Body(RequestValidationPipe) changes: UpdatePhoneDto,
    @IfMatch() tags?: string[],
  ): Promise<PhoneDto> {
    return this.phones.update({ type: 'opportunity', id, organization }, phoneId, changes, tags);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiDeletePhone('an opportunity', 2)
  deleteOpportunityPhone(
    @OrganizationId() organization: IdOrSlug,
    @OpportunityId() id: IdOrSlug,
    @PhoneId() phoneId: number,
    @IfMatch() tags?: string[],
  ): Promise<void> {
    return this.phones.delete({ type: 'opportunity', id, organization }, phoneId, tags);
  }
}

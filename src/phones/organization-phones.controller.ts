import { Body, Controller, Delete, Get, HttpCode, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { IfMatch } from '../common/etag.js';
import { ApiOrganizationId, type IdOrSlug, OrganizationId, PhoneId } from '../common/path-params.js';
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

@ApiTags('Phones of organizations')
@ApiOrganizationId()
@Controller({ path: 'organizations/:organization_id/phones', version: '1' })
export class OrganizationPhonesController {
  constructor(private readonly phones: PhonesService) {}

  @Get()
  @ApiListPhones('an organization')
  listOrganizationPhones(@OrganizationId() id: IdOrSlug): Promise<string> {
    return this.phones.list({ type: 'organization', id });
  }

  @Post()
  @ApiCreatePhone('an organization')
  createOrganizationPhone(
    @OrganizationId() id: IdOrSlug,
    @Body(RequestValidationPipe) phone: CreatePhoneDto,
    @IdempotencyKey() request?: IdempotentRequest,
  ): Promise<PhoneDto> {
    return this.phones.create({ type: 'organization', id }, phone, request);
  }

  @Get(':id')
  @ApiGetPhone('an organization', 1)
  getOrganizationPhone(@OrganizationId() id: IdOrSlug, @PhoneId() phoneId: number): Promise<PhoneDto> {
    return this.phones.get({ type: 'organization', id }, phoneId);
  }

  @Put(':id')
  @ApiUpdatePhone('an organization', 1)
  updateOrganizationPhone(
    @OrganizationId() id: IdOrSlug,
    @PhoneId() phoneId: number,
    @Body(RequestValidationPipe) changes: UpdatePhoneDto,
    @IfMatch() tags?: string[],
  ): Promise<PhoneDto> {
    return this.phones.update({ type: 'organization', id }, phoneId, changes, tags);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiDeletePhone('an organization', 1)
  deleteOrganizationPhone(
    @OrganizationId() id: IdOrSlug,
    @PhoneId() phoneId: number,
    @IfMatch() tags?: string[],
  ): Promise<void> {
    return this.phones.delete({ type: 'organization', id }, phoneId, tags);
  }
}

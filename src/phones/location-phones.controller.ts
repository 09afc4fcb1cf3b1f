import { Body, Controller, Delete, Get, HttpCode, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { IfMatch } from '../common/etag.js';
import {
  ApiLocationId,
  ApiOrganizationId,
  type IdOrSlug,
  LocationId,
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

@ApiTags('Phones of locations')
@ApiOrganizationId()
@ApiLocationId()
@Controller({ path: 'organizations/:organization_id/locations/:location_id/phones', version: '1' })
export class LocationPhonesController {
  constructor(private readonly phones: PhonesService) {}

  @Get()
  @ApiListPhones('a location')
  listLocationPhones(@OrganizationId() organization: IdOrSlug, @LocationId() id: number): Promise<string> {
    return this.phones.list({ type: 'location', id, organization });
  }

  @Post()
  @ApiCreatePhone('a location')
  createLocationPhone(
    @OrganizationId() organization: IdOrSlug,
    @LocationId() id: number,
    @Body(RequestValidationPipe) phone: CreatePhoneDto,
    @IdempotencyKey() request?: IdempotentRequest,
  ): Promise<PhoneDto> {
    return this.phones.create({ type: 'location', id, organization }, phone, request);
  }

  @Get(':id')
  @ApiGetPhone('a location', 4)
  getLocationPhone(
    @OrganizationId() organization: IdOrSlug,
    @LocationId() id: number,
    @PhoneId() phoneId: number,
  ): Promise<PhoneDto> {
    return this.phones.get({ type: 'location', id, organization }, phoneId);
  }

  @Put(':id')
  @ApiUpdatePhone('a location', 4)
  updateLocationPhone(
    @OrganizationId() organization: IdOrSlug,
    @LocationId() id: number,
    @PhoneId() phoneId: number,
    @Body(RequestValidationPipe) changes: UpdatePhoneDto,
    @IfMatch() tags?: string[],
  ): Promise<PhoneDto> {
    return this.phones.update({ type: 'location', id, organization }, phoneId, changes, tags);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiDeletePhone('a location', 4)
  deleteLocationPhone(
    @OrganizationId() organization: IdOrSlug,
    @LocationId() id: number,
    @PhoneId() phoneId: number,
    @IfMatch() tags?: string[],
  ): Promise<void> {
    return this.phones.delete({ type: 'location', id, organization }, phoneId, tags);
  }
}

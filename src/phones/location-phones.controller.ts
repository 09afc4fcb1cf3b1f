import { Body, Controller, Delete, Get, HttpCode, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { IfMatch } from '../common/etag.js';
import { ApiLocationId, ApiOrganizationId, PhoneId } from '../common/path-params.js';
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

@ApiTags('Phones of locations')
@ApiOrganizationId()
@ApiLocationId()
@Controller({ path: 'organizations/:organization_id/locations/:location_id/phones', version: '1' })
export class LocationPhonesController {
  constructor(private readonly phones: PhonesService) {}

  @Get()
  @ApiListPhones('a location')
  listLocationPhones(
    @PhoneOwnerParam('location') owner: PhoneOwner,
    @IncludesDialing() includesDialing: boolean,
  ): Promise<string> {
    return this.phones.list(owner, includesDialing);
  }

  @Post()
  @ApiCreatePhone('a location')
  createLocationPhone(
    @PhoneOwnerParam('location') owner: PhoneOwner,
    @Body(RequestValidationPipe) phone: CreatePhoneDto,
    @IdempotencyKey() request?: IdempotentRequest,
  ): Promise<PhoneDto> {
    return this.phones.create(owner, phone, request);
  }

  @Get(':id')
  @ApiGetPhone('a location', 4)
  getLocationPhone(
    @PhoneOwnerParam('location') owner: PhoneOwner,
    @PhoneId() id: number,
    @IncludesDialing() includesDialing: boolean,
  ): Promise<PhoneWithDialingDto> {
    return this.phones.get(owner, id, includesDialing);
  }

  @Put(':id')
  @ApiUpdatePhone('a location', 4)
  updateLocationPhone(
    @PhoneOwnerParam('location') owner: PhoneOwner,
    @PhoneId() id: number,
    @Body(RequestValidationPipe) changes: UpdatePhoneDto,
    @IfMatch() entityTags?: string[],
  ): Promise<PhoneDto> {
    return this.phones.update(owner, id, changes, entityTags);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiDeletePhone('a location', 4)
  deleteLocationPhone(
    @PhoneOwnerParam('location') owner: PhoneOwner,
    @PhoneId() id: number,
    @IfMatch() entityTags?: string[],
  ): Promise<void> {
    return this.phones.delete(owner, id, entityTags);
  }
}

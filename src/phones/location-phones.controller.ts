import { Body, Controller, Delete, Get, HttpCode, Post, Put, UseInterceptors } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { ApiLocation, ApiProblems } from '../http/api-responses.js';
import { LocationInterceptor } from '../http/location.interceptor.js';
import {
  ApiLocationId,
  ApiOrganizationId,
  ApiPhoneId,
  type IdOrSlug,
  LocationId,
  OrganizationId,
  PhoneId,
} from '../http/path-ids.js';
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
  @ApiOperation({ summary: 'List the phones of a location', description: 'All of them, by ascending ID.' })
  @ApiOkResponse({ type: [PhoneDto], description: 'The phones; none is an empty array.' })
  @ApiProblems(404, 503)
  listLocationPhones(
    @OrganizationId() organization: IdOrSlug,
    @LocationId() id: number,
  ): Promise<PhoneDto[]> {
    return this.phones.list({ type: 'location', id, organization });
  }

  @Post()
  @UseInterceptors(LocationInterceptor)
  @ApiOperation({
    summary: 'Add a phone to a location',
    description: 'The first phone is the primary one unless `is_primary` says otherwise.',
  })
  @ApiCreatedResponse({ type: PhoneDto, description: 'The new phone.', headers: ApiLocation })
  @ApiProblems(400, 404, 413, 415, 503)
  createLocationPhone(
    @OrganizationId() organization: IdOrSlug,
    @LocationId() id: number,
    @Body() phone: CreatePhoneDto,
  ): Promise<PhoneDto> {
    return this.phones.create({ type: 'location', id, organization }, phone);
  }

  @Get(':id')
  @ApiPhoneId(4)
  @ApiOperation({ summary: 'Get a phone of a location' })
  @ApiOkResponse({ type: PhoneDto, description: 'The phone.' })
  @ApiProblems(400, 404, 503)
  getLocationPhone(
    @OrganizationId() organization: IdOrSlug,
    @LocationId() id: number,
    @PhoneId() phoneId: number,
  ): Promise<PhoneDto> {
    return this.phones.get({ type: 'location', id, organization }, phoneId);
  }

  @Put(':id')
  @ApiPhoneId(4)
  @ApiOperation({
    summary: 'Change a phone of a location',
    description: 'Changes the fields that the body names and leaves the others.',
  })
  @ApiOkResponse({ type: PhoneDto, description: 'The phone as it is now.' })
  @ApiProblems(400, 404, 413, 415, 503)
  updateLocationPhone(
    @OrganizationId() organization: IdOrSlug,
    @LocationId() id: number,
    @PhoneId() phoneId: number,
    @Body() changes: UpdatePhoneDto,
  ): Promise<PhoneDto> {
    return this.phones.update({ type: 'location', id, organization }, phoneId, changes);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiPhoneId(4)
  @ApiOperation({
    summary: 'Delete a phone of a location',
    description: 'Deleting the primary number leaves the owner without one until another is made primary.',
  })
  @ApiNoContentResponse({ description: 'The phone is gone.' })
  @ApiProblems(400, 404, 503)
  deleteLocationPhone(
    @OrganizationId() organization: IdOrSlug,
    @LocationId() id: number,
    @PhoneId() phoneId: number,
  ): Promise<void> {
    return this.phones.delete({ type: 'location', id, organization }, phoneId);
  }
}

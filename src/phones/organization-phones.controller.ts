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
import { ApiOrganizationId, ApiPhoneId, type IdOrSlug, OrganizationId, PhoneId } from '../http/path-ids.js';
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
  @ApiOperation({
    summary: 'List the phones of an organization',
    description: 'All of them, by ascending ID.',
  })
  @ApiOkResponse({ type: [PhoneDto], description: 'The phones; none is an empty array.' })
  @ApiProblems(404, 503)
  listOrganizationPhones(@OrganizationId() id: IdOrSlug): Promise<PhoneDto[]> {
    return this.phones.list({ type: 'organization', id });
  }

  @Post()
  @UseInterceptors(LocationInterceptor)
  @ApiOperation({
    summary: 'Add a phone to an organization',
    description: 'The first phone is the primary one unless `is_primary` says otherwise.',
  })
  @ApiCreatedResponse({ type: PhoneDto, description: 'The new phone.', headers: ApiLocation })
  @ApiProblems(400, 404, 413, 415, 503)
  createOrganizationPhone(@OrganizationId() id: IdOrSlug, @Body() phone: CreatePhoneDto): Promise<PhoneDto> {
    return this.phones.create({ type: 'organization', id }, phone);
  }

  @Get(':id')
  @ApiPhoneId(1)
  @ApiOperation({ summary: 'Get a phone of an organization' })
  @ApiOkResponse({ type: PhoneDto, description: 'The phone.' })
  @ApiProblems(400, 404, 503)
  getOrganizationPhone(@OrganizationId() id: IdOrSlug, @PhoneId() phoneId: number): Promise<PhoneDto> {
    return this.phones.get({ type: 'organization', id }, phoneId);
  }

  @Put(':id')
  @ApiPhoneId(1)
  @ApiOperation({
    summary: 'Change a phone of an organization',
    description: 'Changes the fields that the body names and leaves the others.',
  })
  @ApiOkResponse({ type: PhoneDto, description: 'The phone as it is now.' })
  @ApiProblems(400, 404, 413, 415, 503)
  updateOrganizationPhone(
    @OrganizationId() id: IdOrSlug,
    @PhoneId() phoneId: number,
    @Body() changes: UpdatePhoneDto,
  ): Promise<PhoneDto> {
    return this.phones.update({ type: 'organization', id }, phoneId, changes);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiPhoneId(1)
  @ApiOperation({
    summary: 'Delete a phone of an organization',
    description: 'Deleting the primary number leaves the owner without one until another is made primary.',
  })
  @ApiNoContentResponse({ description: 'The phone is gone.' })
  @ApiProblems(400, 404, 503)
  deleteOrganizationPhone(@OrganizationId() id: IdOrSlug, @PhoneId() phoneId: number): Promise<void> {
    return this.phones.delete({ type: 'organization', id }, phoneId);
  }
}

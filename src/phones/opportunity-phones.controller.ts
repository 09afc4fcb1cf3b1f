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
  ApiOpportunityId,
  ApiOrganizationId,
  ApiPhoneId,
  type IdOrSlug,
  OpportunityId,
  OrganizationId,
  PhoneId,
} from '../http/path-ids.js';
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
  @ApiOperation({
    summary: 'List the phones of an opportunity',
    description: 'All of them, by ascending ID.',
  })
  @ApiOkResponse({ type: [PhoneDto], description: 'The phones; none is an empty array.' })
  @ApiProblems(404, 503)
  listOpportunityPhones(
    @OrganizationId() organization: IdOrSlug,
    @OpportunityId() id: IdOrSlug,
  ): Promise<PhoneDto[]> {
    return this.phones.list({ type: 'opportunity', id, organization });
  }

  @Post()
  @UseInterceptors(LocationInterceptor)
  @ApiOperation({
    summary: 'Add a phone to an opportunity',
    description: 'The first phone is the primary one unless `is_primary` says otherwise.',
  })
  @ApiCreatedResponse({ type: PhoneDto, description: 'The new phone.', headers: ApiLocation })
  @ApiProblems(400, 404, 413, 415, 503)
  createOpportunityPhone(
    @OrganizationId() organization: IdOrSlug,
    @OpportunityId() id: IdOrSlug,
    @Body() phone: CreatePhoneDto,
  ): Promise<PhoneDto> {
    return this.phones.create({ type: 'opportunity', id, organization }, phone);
  }

  @Get(':id')
  @ApiPhoneId(2)
  @ApiOperation({ summary: 'Get a phone of an opportunity' })
  @ApiOkResponse({ type: PhoneDto, description: 'The phone.' })
  @ApiProblems(400, 404, 503)
  getOpportunityPhone(
    @OrganizationId() organization: IdOrSlug,
    @OpportunityId() id: IdOrSlug,
    @PhoneId() phoneId: number,
  ): Promise<PhoneDto> {
    return this.phones.get({ type: 'opportunity', id, organization }, phoneId);
  }

  @Put(':id')
  @ApiPhoneId(2)
  @ApiOperation({
    summary: 'Change a phone of an opportunity',
    description: 'Changes the fields that the body names and leaves the others.',
  })
  @ApiOkResponse({ type: PhoneDto, description: 'The phone as it is now.' })
  @ApiProblems(400, 404, 413, 415, 503)
  updateOpportunityPhone(
    @OrganizationId() organization: IdOrSlug,
    @OpportunityId() id: IdOrSlug,
    @PhoneId() phoneId: number,
    @Body() changes: UpdatePhoneDto,
  ): Promise<PhoneDto> {
    return this.phones.update({ type: 'opportunity', id, organization }, phoneId, changes);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiPhoneId(2)
  @ApiOperation({
    summary: 'Delete a phone of an opportunity',
    description: 'Deleting the primary number leaves the owner without one until another is made primary.',
  })
  @ApiNoContentResponse({ description: 'The phone is gone.' })
  @ApiProblems(400, 404, 503)
  deleteOpportunityPhone(
    @OrganizationId() organization: IdOrSlug,
    @OpportunityId() id: IdOrSlug,
    @PhoneId() phoneId: number,
  ): Promise<void> {
    return this.phones.delete({ type: 'opportunity', id, organization }, phoneId);
  }
}

import { Body, Controller, Delete, Get, HttpCode, Post, Put, Query, Res } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { AdminsOnly } from '../auth/auth.decorators.js';
import { ApiLinkHeader, ApiLocationHeader, ApiProblems } from '../common/api-responses.js';
import { PageQuery, setLinkHeader } from '../common/pagination.js';
import { ApiOrganizationId, type IdOrSlug, OrganizationId } from '../common/path-params.js';
import { RequestValidationPipe } from '../common/request-validation.pipe.js';
import { IdempotencyKey, type IdempotentRequest } from '../idempotency/idempotency-key.decorator.js';
import { CreateOrganizationDto, OrganizationDto, UpdateOrganizationDto } from './dto/organization.dto.js';
import { OrganizationsService } from './organizations.service.js';

@ApiTags('Organizations')
@Controller({ path: 'organizations', version: '1' })
export class OrganizationsController {
  constructor(private readonly organizations: OrganizationsService) {}

  @Get()
  @ApiOperation({ summary: 'List the organizations', description: 'By ascending ID, a page at a time.' })
  @ApiOkResponse({ type: [OrganizationDto], description: 'The page.', headers: ApiLinkHeader })
  @ApiProblems(503)
  async listOrganizations(
    @Query(RequestValidationPipe) query: PageQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OrganizationDto[]> {
    return setLinkHeader(reply, query, await this.organizations.list(query));
  }

  @Post()
  @AdminsOnly()
  @ApiOperation({
    summary: 'Create an organization',
    description: 'Its slug is made from the name and stays when the name changes.',
  })
  @ApiCreatedResponse({
    type: OrganizationDto,
    description: 'The new organization.',
    headers: ApiLocationHeader,
  })
  @ApiProblems(409, 413, 415, 503)
  createOrganization(
    @Body(RequestValidationPipe) organization: CreateOrganizationDto,
    @IdempotencyKey() request?: IdempotentRequest,
  ): Promise<OrganizationDto> {
    return this.organizations.create(organization, request);
  }

  @Get(':organization_id')
  @ApiOrganizationId()
  @ApiOperation({ summary: 'Get an organization' })
  @ApiOkResponse({ type: OrganizationDto, description: 'The organization.' })
  @ApiProblems(404, 503)
  getOrganization(@OrganizationId() id: IdOrSlug): Promise<OrganizationDto> {
    return this.organizations.get(id);
  }

  @Put(':organization_id')
  @ApiOrganizationId()
  @ApiOperation({
    summary: 'Change an organization',
    description: 'Changes the fields that the body names and leaves the others.',
  })
  @ApiOkResponse({ type: OrganizationDto, description: 'The organization as it is now.' })
  @ApiProblems(404, 413, 415, 503)
  updateOrganization(
    @OrganizationId() id: IdOrSlug,
    @Body(RequestValidationPipe) changes: UpdateOrganizationDto,
  ): Promise<OrganizationDto> {
    return this.organizations.update(id, changes);
  }

  @Delete(':organization_id')
  @AdminsOnly()
  @HttpCode(204)
  @ApiOrganizationId()
  @ApiOperation({
    summary: 'Delete an organization',
    description: 'Deletes its opportunities, its locations and all their phones, too.',
  })
  @ApiNoContentResponse({ description: 'The organization is gone.' })
  @ApiProblems(404, 413, 415, 503)
  deleteOrganization(@OrganizationId() id: IdOrSlug): Promise<void> {
    return this.organizations.delete(id);
  }
}

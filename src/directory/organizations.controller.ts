import { Body, Controller, Delete, Get, HttpCode, Post, Put, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { AdminsOnly } from '../auth/auth.decorators.js';
import { PageQuery, setLinkHeader } from '../common/pagination.js';
import { ApiOrganizationId, type IdOrSlug, OrganizationId } from '../common/path-params.js';
import { RequestValidationPipe } from '../common/request-validation.pipe.js';
import { IdempotencyKey, type IdempotentRequest } from '../idempotency/idempotency-key.decorator.js';
import {
  ApiCreateResource,
  ApiDeleteResource,
  ApiGetResource,
  ApiListResources,
  ApiUpdateResource,
} from './directory.openapi.js';
import { CreateOrganizationDto, OrganizationDto, UpdateOrganizationDto } from './dto/organization.dto.js';
import { OrganizationsService } from './organizations.service.js';

@ApiTags('Organizations')
@Controller({ path: 'organizations', version: '1' })
export class OrganizationsController {
  constructor(private readonly organizations: OrganizationsService) {}

  @Get()
  @ApiListResources(OrganizationDto, 'organizations')
  async listOrganizations(
    @Query(RequestValidationPipe) query: PageQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OrganizationDto[]> {
    return setLinkHeader(reply, query, await this.organizations.list(query));
  }

  @Post()
  @AdminsOnly()
  @ApiCreateResource(
    OrganizationDto,
    'an organization',
    'The slug is made from the name, and stays when the name changes.',
  )
  createOrganization(
    @Body(RequestValidationPipe) organization: CreateOrganizationDto,
    @IdempotencyKey() request?: IdempotentRequest,
  ): Promise<OrganizationDto> {
    return this.organizations.create(organization, request);
  }

  @Get(':organization_id')
  @ApiOrganizationId()
  @ApiGetResource(OrganizationDto, 'an organization')
  getOrganization(@OrganizationId() id: IdOrSlug): Promise<OrganizationDto> {
    return this.organizations.get(id);
  }

  @Put(':organization_id')
  @ApiOrganizationId()
  @ApiUpdateResource(OrganizationDto, 'an organization')
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
  @ApiDeleteResource(
    'an organization',
    'Also deletes its opportunities, its locations and all of their phones.',
  )
  deleteOrganization(@OrganizationId() id: IdOrSlug): Promise<void> {
    return this.organizations.delete(id);
  }
}

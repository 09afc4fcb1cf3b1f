import { Body, Controller, Delete, Get, HttpCode, Post, Put, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ApiProblems } from '../common/api-responses.js';
import { PageQuery, setLinkHeader } from '../common/pagination.js';
import {
  ApiOpportunityId,
  ApiOrganizationId,
  type IdOrSlug,
  OpportunityId,
  OrganizationId,
} from '../common/path-params.js';
import { RequestValidationPipe } from '../common/request-validation.pipe.js';
import { IdempotencyKey, type IdempotentRequest } from '../idempotency/idempotency-key.decorator.js';
import {
  ApiCreateResource,
  ApiDeleteResource,
  ApiGetResource,
  ApiListResources,
  ApiUpdateResource,
} from './directory.openapi.js';
import { CreateOpportunityDto, OpportunityDto, UpdateOpportunityDto } from './dto/opportunity.dto.js';
import { OpportunitiesService } from './opportunities.service.js';

@ApiTags('Opportunities')
@ApiOrganizationId()
@ApiProblems(404)
@Controller({ path: 'organizations/:organization_id/opportunities', version: '1' })
export class OpportunitiesController {
  constructor(private readonly opportunities: OpportunitiesService) {}

  @Get()
  @ApiListResources(OpportunityDto, 'opportunities of an organization')
  async listOpportunities(
    @OrganizationId() organization: IdOrSlug,
    @Query(RequestValidationPipe) query: PageQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OpportunityDto[]> {
    return setLinkHeader(reply, query, await this.opportunities.list(organization, query));
  }

  @Post()
  @ApiCreateResource(
    OpportunityDto,
    'an opportunity of an organization',
    'The slug is made from the title, and stays when the title changes.',
  )
  createOpportunity(
    @OrganizationId() organization: IdOrSlug,
    @Body(RequestValidationPipe) opportunity: CreateOpportunityDto,
    @IdempotencyKey() request?: IdempotentRequest,
  ): Promise<OpportunityDto> {
    return this.opportunities.create(organization, opportunity, request);
  }

  @Get(':opportunity_id')
  @ApiOpportunityId()
  @ApiGetResource(OpportunityDto, 'an opportunity of an organization')
  getOpportunity(
    @OrganizationId() organization: IdOrSlug,
    @OpportunityId() id: IdOrSlug,
  ): Promise<OpportunityDto> {
    return this.opportunities.get(organization, id);
  }

  @Put(':opportunity_id')
  @ApiOpportunityId()
  @ApiUpdateResource(OpportunityDto, 'an opportunity of an organization')
  updateOpportunity(
    @OrganizationId() organization: IdOrSlug,
    @OpportunityId() id: IdOrSlug,
    @Body(RequestValidationPipe) changes: UpdateOpportunityDto,
  ): Promise<OpportunityDto> {
    return this.opportunities.update(organization, id, changes);
  }

  @Delete(':opportunity_id')
  @HttpCode(204)
  @ApiOpportunityId()
  @ApiDeleteResource('an opportunity of an organization', 'Also deletes its phones.')
  deleteOpportunity(@OrganizationId() organization: IdOrSlug, @OpportunityId() id: IdOrSlug): Promise<void> {
    return this.opportunities.delete(organization, id);
  }
}

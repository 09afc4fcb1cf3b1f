import { Body, Controller, Delete, Get, HttpCode, Post, Put, Query, Res } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ApiLinkHeader, ApiLocationHeader, ApiProblems } from '../common/api-responses.js';
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
import { CreateOpportunityDto, OpportunityDto, UpdateOpportunityDto } from './dto/opportunity.dto.js';
import { OpportunitiesService } from './opportunities.service.js';

@ApiTags('Opportunities')
@ApiOrganizationId()
@Controller({ path: 'organizations/:organization_id/opportunities', version: '1' })
export class OpportunitiesController {
  constructor(private readonly opportunities: OpportunitiesService) {}

  @Get()
  @ApiOperation({
    summary: 'List the opportunities of an organization',
    description: 'By ascending ID, a page at a time.',
  })
  @ApiOkResponse({ type: [OpportunityDto], description: 'The page.', headers: ApiLinkHeader })
  @ApiProblems(404, 503)
  async listOpportunities(
    @OrganizationId() organization: IdOrSlug,
    @Query(RequestValidationPipe) query: PageQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OpportunityDto[]> {
    return setLinkHeader(reply, query, await this.opportunities.list(organization, query));
  }

  @Post()
  @ApiOperation({
    summary: 'Create an opportunity of an organization',
    description: 'Its slug is made from the title and stays when the title changes.',
  })
  @ApiCreatedResponse({
    type: OpportunityDto,
    description: 'The new opportunity.',
    headers: ApiLocationHeader,
  })
  @ApiProblems(404, 409, 413, 415, 503)
  createOpportunity(
    @OrganizationId() organization: IdOrSlug,
    @Body(RequestValidationPipe) opportunity: CreateOpportunityDto,
    @IdempotencyKey() request?: IdempotentRequest,
  ): Promise<OpportunityDto> {
    return this.opportunities.create(organization, opportunity, request);
  }

  @Get(':opportunity_id')
  @ApiOpportunityId()
  @ApiOperation({ summary: 'Get an opportunity of an organization' })
  @ApiOkResponse({ type: OpportunityDto, description: 'The opportunity.' })
  @ApiProblems(404, 503)
  getOpportunity(
    @OrganizationId() organization: IdOrSlug,
    @OpportunityId() id: IdOrSlug,
  ): Promise<OpportunityDto> {
    return this.opportunities.get(organization, id);
  }

  @Put(':opportunity_id')
  @ApiOpportunityId()
  @ApiOperation({
    summary: 'Change an opportunity of an organization',
    description: 'Changes the fields that the body names and leaves the others.',
  })
  @ApiOkResponse({ type: OpportunityDto, description: 'The opportunity as it is now.' })
  @ApiProblems(404, 413, 415, 503)
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
  @ApiOperation({
    summary: 'Delete an opportunity of an organization',
    description: 'Deletes its phones, too.',
  })
  @ApiNoContentResponse({ description: 'The opportunity is gone.' })
  @ApiProblems(404, 413, 415, 503)
  deleteOpportunity(@OrganizationId() organization: IdOrSlug, @OpportunityId() id: IdOrSlug): Promise<void> {
    return this.opportunities.delete(organization, id);
  }
}

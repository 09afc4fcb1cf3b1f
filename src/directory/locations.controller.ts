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
  ApiLocationId,
  ApiOrganizationId,
  type IdOrSlug,
  LocationId,
  OrganizationId,
} from '../common/path-params.js';
import { RequestValidationPipe } from '../common/request-validation.pipe.js';
import { IdempotencyKey, type IdempotentRequest } from '../idempotency/idempotency-key.decorator.js';
import { CreateLocationDto, LocationDto, UpdateLocationDto } from './dto/location.dto.js';
import { LocationsService } from './locations.service.js';

@ApiTags('Locations')
@ApiOrganizationId()
@Controller({ path: 'organizations/:organization_id/locations', version: '1' })
export class LocationsController {
  constructor(private readonly locations: LocationsService) {}

  @Get()
  @ApiOperation({
    summary: 'List the locations of an organization',
    description: 'By ascending ID, a page at a time.',
  })
  @ApiOkResponse({ type: [LocationDto], description: 'The page.', headers: ApiLinkHeader })
  @ApiProblems(404, 503)
  async listLocations(
    @OrganizationId() organization: IdOrSlug,
    @Query(RequestValidationPipe) query: PageQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<LocationDto[]> {
    return setLinkHeader(reply, query, await this.locations.list(organization, query));
  }

  @Post()
  @ApiOperation({
    summary: 'Create a location of an organization',
  })
  @ApiCreatedResponse({ type: LocationDto, description: 'The new location.', headers: ApiLocationHeader })
  @ApiProblems(404, 409, 413, 415, 503)
  createLocation(
    @OrganizationId() organization: IdOrSlug,
    @Body(RequestValidationPipe) location: CreateLocationDto,
    @IdempotencyKey() request?: IdempotentRequest,
  ): Promise<LocationDto> {
    return this.locations.create(organization, location, request);
  }

  @Get(':location_id')
  @ApiLocationId()
  @ApiOperation({ summary: 'Get a location of an organization' })
  @ApiOkResponse({ type: LocationDto, description: 'The location.' })
  @ApiProblems(404, 503)
  getLocation(@OrganizationId() organization: IdOrSlug, @LocationId() id: number): Promise<LocationDto> {
    return this.locations.get(organization, id);
  }

  @Put(':location_id')
  @ApiLocationId()
  @ApiOperation({
    summary: 'Change a location of an organization',
    description: 'Changes the fields that the body names and leaves the others.',
  })
  @ApiOkResponse({ type: LocationDto, description: 'The location as it is now.' })
  @ApiProblems(404, 413, 415, 503)
  updateLocation(
    @OrganizationId() organization: IdOrSlug,
    @LocationId() id: number,
    @Body(RequestValidationPipe) changes: UpdateLocationDto,
  ): Promise<LocationDto> {
    return this.locations.update(organization, id, changes);
  }

  @Delete(':location_id')
  @HttpCode(204)
  @ApiLocationId()
  @ApiOperation({ summary: 'Delete a location of an organization', description: 'Deletes its phones, too.' })
  @ApiNoContentResponse({ description: 'The location is gone.' })
  @ApiProblems(404, 413, 415, 503)
  deleteLocation(@OrganizationId() organization: IdOrSlug, @LocationId() id: number): Promise<void> {
    return this.locations.delete(organization, id);
  }
}

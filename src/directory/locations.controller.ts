import { Body, Controller, Delete, Get, HttpCode, Post, Put, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ApiProblems } from '../common/api-responses.js';
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
import {
  ApiCreateResource,
  ApiDeleteResource,
  ApiGetResource,
  ApiListResources,
  ApiUpdateResource,
} from './directory.openapi.js';
import { CreateLocationDto, LocationDto, UpdateLocationDto } from './dto/location.dto.js';
import { LocationsService } from './locations.service.js';

@ApiTags('Locations')
@ApiOrganizationId()
@ApiProblems(404)
@Controller({ path: 'organizations/:organization_id/locations', version: '1' })
export class LocationsController {
  constructor(private readonly locations: LocationsService) {}

  @Get()
  @ApiListResources(LocationDto, 'locations of an organization')
  async listLocations(
    @OrganizationId() organization: IdOrSlug,
    @Query(RequestValidationPipe) query: PageQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<LocationDto[]> {
    return setLinkHeader(reply, query, await this.locations.list(organization, query));
  }

  @Post()
  @ApiCreateResource(LocationDto, 'a location of an organization')
  createLocation(
    @OrganizationId() organization: IdOrSlug,
    @Body(RequestValidationPipe) location: CreateLocationDto,
    @IdempotencyKey() request?: IdempotentRequest,
  ): Promise<LocationDto> {
    return this.locations.create(organization, location, request);
  }

  @Get(':location_id')
  @ApiLocationId()
  @ApiGetResource(LocationDto, 'a location of an organization')
  getLocation(@OrganizationId() organization: IdOrSlug, @LocationId() id: number): Promise<LocationDto> {
    return this.locations.get(organization, id);
  }

  @Put(':location_id')
  @ApiLocationId()
  @ApiUpdateResource(LocationDto, 'a location of an organization')
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
  @ApiDeleteResource('a location of an organization', 'Also deletes its phones.')
  deleteLocation(@OrganizationId() organization: IdOrSlug, @LocationId() id: number): Promise<void> {
    return this.locations.delete(organization, id);
  }
}

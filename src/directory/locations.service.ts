import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { retryInNewSession, retryOnConflict } from '../database/retry-on-conflict.js';
import { toSkipAndTake, type Page, type PageQuery } from '../common/pagination.js';
import type { IdOrSlug } from '../common/path-params.js';
import { notFound } from '../common/problem-details.js';
import type { IdempotentRequest } from '../idempotency/idempotency-key.decorator.js';
import { IdempotencyService } from '../idempotency/idempotency.service.js';
import type { CreateLocationDto, LocationDto, UpdateLocationDto } from './dto/location.dto.js';
import { Location } from './location.entity.js';
import { OrganizationsService } from './organizations.service.js';

const FIELDS = { id: true, name: true } as const;

/** The rules of locations. Methods throw a NotFoundException if the location or its organization does not exist. */
@Injectable()
export class LocationsService {
  constructor(
    @InjectRepository(Location) private readonly locations: Repository<Location>,
    private readonly organizations: OrganizationsService,
    private readonly idempotency: IdempotencyService,
  ) {}

  async list(organization: IdOrSlug, query: PageQuery): Promise<Page<LocationDto>> {
    const { id: organization_id } = await this.organizations.get(organization);
    return retryInNewSession(() =>
      this.locations.findAndCount({
        select: FIELDS,
        where: { organization_id },
        order: { id: 'ASC' },
        ...toSkipAndTake(query),
      }),
    );
  }

  async get(organization: IdOrSlug, id: number): Promise<LocationDto> {
    const { id: organization_id } = await this.organizations.get(organization);
    const location = await retryInNewSession(() =>
      this.locations.findOne({ select: FIELDS, where: { organization_id, id } }),
    );
    if (location === null) throw notFound('location');
    return location;
  }

  /** @param request the request, if it has an `Idempotency-Key` */
  create(
    organization: IdOrSlug,
    { name }: CreateLocationDto,
    request?: IdempotentRequest,
  ): Promise<LocationDto> {
    return this.idempotency.executeOnce(request, async (manager) => {
      const { id: organization_id } = await this.organizations.get(organization, manager);
      const { identifiers } = await manager.insert(Location, { organization_id, name });
      return { id: (identifiers[0] as { id: number }).id, name };
    });
  }

  update(organization: IdOrSlug, id: number, { name }: UpdateLocationDto): Promise<LocationDto> {
    return retryOnConflict(async () => {
      const location = await this.get(organization, id);
      if (name === undefined) return location;
      const { affected } = await this.locations.update({ id }, { name });
      if (affected === 0) throw notFound('location');
      return { id, name };
    });
  }

  /** Also deletes its phones, as the foreign keys cascade. */
  async delete(organization: IdOrSlug, id: number): Promise<void> {
    await this.get(organization, id);
    const { affected } = await retryOnConflict(() => this.locations.delete({ id }));
    if (affected === 0) throw notFound('location');
  }
}

import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, Repository } from 'typeorm';
import { retryInNewSession, retryOnConflict } from '../database/retry-on-conflict.js';
import { toSkipAndTake, type Page, type PageQuery } from '../common/pagination.js';
import { type IdOrSlug, whereIdOrSlug } from '../common/path-params.js';
import { notFound } from '../common/problem-details.js';
import type { IdempotentRequest } from '../idempotency/idempotency-key.decorator.js';
import { IdempotencyService } from '../idempotency/idempotency.service.js';
import type {
  CreateOrganizationDto,
  OrganizationDto,
  UpdateOrganizationDto,
} from './dto/organization.dto.js';
import { Organization } from './organization.entity.js';
import { insertWithSlug } from './slug.js';

/** The rules of organizations. Methods throw a NotFoundException if the organization does not exist. */
@Injectable()
export class OrganizationsService {
  constructor(
    @InjectRepository(Organization) private readonly organizations: Repository<Organization>,
    private readonly idempotency: IdempotencyService,
  ) {}

  list(query: PageQuery): Promise<Page<OrganizationDto>> {
    return retryInNewSession(() =>
      this.organizations.findAndCount({ order: { id: 'ASC' }, ...toSkipAndTake(query) }),
    );
  }

  /** @param manager of the transaction, if there is one */
  async get(idOrSlug: IdOrSlug, manager?: EntityManager): Promise<OrganizationDto> {
    const where = whereIdOrSlug(idOrSlug);
    // Only the whole of a transaction can be retried.
    const organization = manager
      ? await manager.findOneBy(Organization, where)
      : await retryInNewSession(() => this.organizations.findOneBy(where));
    if (organization === null) throw notFound('organization');
    return organization;
  }

  /**
   * Creates an organization, whose slug is made from its name.
   *
   * @param request the request, if it has an `Idempotency-Key`
   */
  create({ name }: CreateOrganizationDto, request?: IdempotentRequest): Promise<OrganizationDto> {
    return this.idempotency.executeOnce(request, async (manager) => ({
      ...(await insertWithSlug(manager, Organization, 'organization', name, { name })),
      name,
    }));
  }

  /** The slug stays when the name changes, as other sites link to it. */
  update(idOrSlug: IdOrSlug, { name }: UpdateOrganizationDto): Promise<OrganizationDto> {
    return retryOnConflict(async () => {
      const organization = await this.get(idOrSlug);
      if (name === undefined) return organization;
      const { affected } = await this.organizations.update({ id: organization.id }, { name });
      if (affected === 0) throw notFound('organization');
      return { id: organization.id, slug: organization.slug, name };
    });
  }

  /** Also deletes its opportunities, its locations and all of their phones, as the foreign keys cascade. */
  async delete(idOrSlug: IdOrSlug): Promise<void> {
    const { affected } = await retryOnConflict(() => this.organizations.delete(whereIdOrSlug(idOrSlug)));
    if (affected === 0) throw notFound('organization');
  }
}

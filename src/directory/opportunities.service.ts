import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { retryInNewSession, retryOnConflict } from '../database/retry-on-conflict.js';
import { toSkipAndTake, type Page, type PageQuery } from '../common/pagination.js';
import { type IdOrSlug, whereIdOrSlug } from '../common/path-params.js';
import { notFound } from '../common/problem-details.js';
import type { IdempotentRequest } from '../idempotency/idempotency-key.decorator.js';
import { IdempotencyService } from '../idempotency/idempotency.service.js';
import type { CreateOpportunityDto, OpportunityDto, UpdateOpportunityDto } from './dto/opportunity.dto.js';
import { Opportunity } from './opportunity.entity.js';
import { OrganizationsService } from './organizations.service.js';
import { insertWithSlug } from './slug.js';

const FIELDS = { id: true, slug: true, title: true } as const;

/**
 * The rules of opportunities. Methods throw a NotFoundException if the opportunity or its organization does not exist.
 */
@Injectable()
export class OpportunitiesService {
  constructor(
    @InjectRepository(Opportunity) private readonly opportunities: Repository<Opportunity>,
    private readonly organizations: OrganizationsService,
    private readonly idempotency: IdempotencyService,
  ) {}

  async list(organization: IdOrSlug, query: PageQuery): Promise<Page<OpportunityDto>> {
    const { id: organization_id } = await this.organizations.get(organization);
    return retryInNewSession(() =>
      this.opportunities.findAndCount({
        select: FIELDS,
        where: { organization_id },
        order: { id: 'ASC' },
        ...toSkipAndTake(query),
      }),
    );
  }

  async get(organization: IdOrSlug, idOrSlug: IdOrSlug): Promise<OpportunityDto> {
    const { id: organization_id } = await this.organizations.get(organization);
    const opportunity = await retryInNewSession(() =>
      this.opportunities.findOne({
        select: FIELDS,
        where: { organization_id, ...whereIdOrSlug(idOrSlug) },
      }),
    );
    if (opportunity === null) throw notFound('opportunity');
    return opportunity;
  }

  /**
   * Creates an opportunity, whose slug is made from its title.
   *
   * @param request the request, if it has an `Idempotency-Key`
   */
  create(
    organization: IdOrSlug,
    { title }: CreateOpportunityDto,
    request?: IdempotentRequest,
  ): Promise<OpportunityDto> {
    return this.idempotency.executeOnce(request, async (manager) => {
      const { id: organization_id } = await this.organizations.get(organization, manager);
      return {
        ...(await insertWithSlug(manager, Opportunity, 'opportunity', title, { organization_id, title })),
        title,
      };
    });
  }

  /** The slug stays when the title changes, as other sites link to it. */
  update(
    organization: IdOrSlug,
    idOrSlug: IdOrSlug,
    { title }: UpdateOpportunityDto,
  ): Promise<OpportunityDto> {
    return retryOnConflict(async () => {
      const opportunity = await this.get(organization, idOrSlug);
      if (title === undefined) return opportunity;
      const { affected } = await this.opportunities.update({ id: opportunity.id }, { title });
      if (affected === 0) throw notFound('opportunity');
      return { id: opportunity.id, slug: opportunity.slug, title };
    });
  }

  /** Also deletes its phones, as the foreign keys cascade. */
  async delete(organization: IdOrSlug, idOrSlug: IdOrSlug): Promise<void> {
    const { id } = await this.get(organization, idOrSlug);
    const { affected } = await retryOnConflict(() => this.opportunities.delete({ id }));
    if (affected === 0) throw notFound('opportunity');
  }
}

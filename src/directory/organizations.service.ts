import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { offsetOf, type Page, type PageQuery } from '../http/page.js';
import { type IdOrSlug, keyCondition } from '../http/path-ids.js';
import { notFound } from '../http/problem.js';
import type {
  CreateOrganizationDto,
  OrganizationDto,
  UpdateOrganizationDto,
} from './dto/organization.dto.js';
import { Organization } from './organization.entity.js';
import { insertUnderSlug } from './slug.js';

/** Organizations. One that is not there is a NotFoundException. */
@Injectable()
export class OrganizationsService {
  constructor(@InjectRepository(Organization) private readonly organizations: Repository<Organization>) {}

  list(query: PageQuery): Promise<Page<OrganizationDto>> {
    return this.organizations.findAndCount({ order: { id: 'ASC' }, ...offsetOf(query) });
  }

  async get(key: IdOrSlug): Promise<OrganizationDto> {
    const organization = await this.organizations.findOneBy(keyCondition(key));
    if (organization === null) throw notFound('organization');
    return organization;
  }

  /** Its slug is made from its name. */
  create({ name }: CreateOrganizationDto): Promise<OrganizationDto> {
    return insertUnderSlug(name, 'organization', async (slug) => {
      const { identifiers } = await this.organizations.insert({ slug, name });
      return { id: (identifiers[0] as { id: number }).id, slug, name };
    });
  }

  /** Its slug stays when its name changes, as others link to it. */
  async update(key: IdOrSlug, { name }: UpdateOrganizationDto): Promise<OrganizationDto> {
    const organization = await this.get(key);
    if (name === undefined) return organization;
    const { affected } = await this.organizations.update({ id: organization.id }, { name });
    if (affected === 0) throw notFound('organization');
    return { id: organization.id, slug: organization.slug, name };
  }

  /** Deletes its opportunities, its locations and all their phones, too: the foreign keys cascade. */
  async delete(key: IdOrSlug): Promise<void> {
    const { affected } = await this.organizations.delete(keyCondition(key));
    if (affected === 0) throw notFound('organization');
  }
}

import 'reflect-metadata';
import { createApp } from '../create-app.js';
import { LocationsService } from '../directory/locations.service.js';
import { OpportunitiesService } from '../directory/opportunities.service.js';
import { OrganizationsService } from '../directory/organizations.service.js';
import type { CreatePhoneDto } from '../phones/dto/create-phone.dto.js';
import type { Owner } from '../phones/owner.js';
import { PhonesService } from '../phones/phones.service.js';
import { exitWith } from '../start-failure.js';
import { COUNTY } from './county.js';

/** Fills an empty database with a made-up county; one that is not empty stays as it is. */
async function seed(): Promise<string> {
  const app = await createApp();
  try {
    const organizations = app.get(OrganizationsService);
    const opportunities = app.get(OpportunitiesService);
    const locations = app.get(LocationsService);
    const phones = app.get(PhonesService);
    let count = 0;
    const addPhones = async (owner: Owner, added: CreatePhoneDto[]) => {
      for (const phone of added) await phones.create(owner, phone);
      count += added.length;
    };

    const [, total] = await organizations.list({ page: 1, per_page: 1 });
    if (total > 0) return `Nothing to do: the database has ${total} organizations already.`;
    for (const seeded of COUNTY) {
      const { id: organization } = await organizations.create(seeded);
      await addPhones({ type: 'organization', id: organization }, seeded.phones);
      for (const opportunity of seeded.opportunities) {
        const { id } = await opportunities.create(organization, opportunity);
        await addPhones({ type: 'opportunity', id, organization }, opportunity.phones);
      }
      for (const location of seeded.locations) {
        const { id } = await locations.create(organization, location);
        await addPhones({ type: 'location', id, organization }, location.phones);
      }
    }
    return `Created ${COUNTY.length} organizations with ${count} phones.`;
  } finally {
    await app.close();
  }
}

try {
  console.log(await seed());
} catch (error) {
  exitWith(error);
}

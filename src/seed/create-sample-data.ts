import type { DataSource } from 'typeorm';
import dataSource from '../../ormconfig.js';
import { findSettingWarnings, loadEnvironment } from '../config/environment.js';
import { exitWithError } from '../config/startup-error.js';
import { Location } from '../directory/location.entity.js';
import { Opportunity } from '../directory/opportunity.entity.js';
import { Organization } from '../directory/organization.entity.js';
import { toSlug } from '../directory/slug.js';
import { toDialingColumns } from '../phones/dialing-columns.js';
import type { CreatePhoneDto } from '../phones/dto/create-phone.dto.js';
import type { OwnerType } from '../phones/phone-owner.js';
import { Phone } from '../phones/phone.entity.js';
import { SAMPLE_DATA } from './sample-data.js';

/** Fills an empty database with the sample data in one transaction. A database that is not empty stays as it is. */
function createSampleData(database: DataSource): Promise<string> {
  const { DEFAULT_COUNTRY } = loadEnvironment();
  return database.transaction(async (manager) => {
    let count = 0;
    const addPhones = async (owner_type: OwnerType, owner_id: number, phones: CreatePhoneDto[]) => {
      const rows = phones.map(({ digits, phone_type = null, is_primary }, index) => ({
        owner_type,
        owner_id,
        digits,
        phone_type,
        is_primary: is_primary ?? index === 0,
        dialed_digits: digits,
        ...toDialingColumns(digits, DEFAULT_COUNTRY),
      }));
      await manager.insert(Phone, rows);
      count += rows.length;
    };

    // If two run at the same time, the second waits here, and then finds what the first has created.
    await manager.query('LOCK TABLE organizations IN SHARE ROW EXCLUSIVE MODE');
    const present = await manager.count(Organization);
    if (present > 0) return `Nothing to do: the database has ${present} organizations already.`;
    for (const { name, phones, opportunities, locations } of SAMPLE_DATA) {
      const slug = toSlug(name, 'organization');
      const { id: organization_id } = await manager.save(Organization, { name, slug });
      await addPhones('organization', organization_id, phones);
      for (const { title, phones } of opportunities) {
        const slug = toSlug(title, 'opportunity');
        const { id } = await manager.save(Opportunity, { organization_id, title, slug });
        await addPhones('opportunity', id, phones);
      }
      for (const { name, phones } of locations) {
        const { id } = await manager.save(Location, { organization_id, name });
        await addPhones('location', id, phones);
      }
    }
    return `Created ${SAMPLE_DATA.length} organizations with ${count} phones.`;
  });
}

/** Creates the sample data, and prints what it has done. If that fails, the process exits with status 1. */
export async function seed(): Promise<void> {
  try {
    await dataSource.initialize();
    for (const warning of findSettingWarnings()) console.warn(warning);
    await dataSource.runMigrations();
    console.log(await createSampleData(dataSource));
    await dataSource.destroy();
  } catch (error) {
    exitWithError(error);
  }
}

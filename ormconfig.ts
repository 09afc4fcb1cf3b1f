import { ApiKey } from './src/clients/api-key.entity.js';
import { ClientOrganization } from './src/clients/client-organization.entity.js';
import { Client } from './src/clients/client.entity.js';
import { migrations } from './src/database/migrations/index.js';
import { AppDataSource } from './src/database/app-data-source.js';
import { Location } from './src/directory/location.entity.js';
import { Opportunity } from './src/directory/opportunity.entity.js';
import { Organization } from './src/directory/organization.entity.js';
import { IdempotencyRecord } from './src/idempotency/idempotency-record.entity.js';
import { Phone } from './src/phones/phone.entity.js';

/** The one data source, for the service and for the TypeORM CLI. Which database it opens is in the environment. */
export default new AppDataSource({
  type: 'postgres',
  applicationName: 'phones-service',
  entities: [
    Organization,
    Opportunity,
    Location,
    Phone,
    Client,
    ClientOrganization,
    ApiKey,
    IdempotencyRecord,
  ],
  migrations,
  installExtensions: false,
});

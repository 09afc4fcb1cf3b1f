import { ApiKey } from './src/access/api-key.entity.js';
import { ClientOrganization } from './src/access/client-organization.entity.js';
import { Client } from './src/access/client.entity.js';
import { migrations } from './src/database/migrations/index.js';
import { ServiceDataSource } from './src/database/service-data-source.js';
import { Location } from './src/directory/location.entity.js';
import { Opportunity } from './src/directory/opportunity.entity.js';
import { Organization } from './src/directory/organization.entity.js';
import { KeptAnswer } from './src/idempotency/kept-answer.entity.js';
import { Phone } from './src/phones/phone.entity.js';

/** The one data source, for the service and for the TypeORM CLI. Which database it opens is in the environment. */
export default new ServiceDataSource({
  type: 'postgres',
  applicationName: 'phones-service',
  entities: [Organization, Opportunity, Location, Phone, Client, ClientOrganization, ApiKey, KeptAnswer],
  migrations,
  installExtensions: false,
});

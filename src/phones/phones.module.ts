import { Module } from '@nestjs/common';
import { IdempotencyModule } from '../idempotency/idempotency.module.js';
import { DialingRecomputation } from './dialing-recomputation.js';
import { LocationPhonesController } from './location-phones.controller.js';
import { OpportunityPhonesController } from './opportunity-phones.controller.js';
import { OrganizationPhonesController } from './organization-phones.controller.js';
import { PhoneSearchController } from './phone-search.controller.js';
import { PhonesRepository } from './phones.repository.js';
import { PhonesService } from './phones.service.js';

@Module({
  imports: [IdempotencyModule],
  controllers: [
    OrganizationPhonesController,
    OpportunityPhonesController,
    LocationPhonesController,
    PhoneSearchController,
  ],
  providers: [PhonesService, PhonesRepository, DialingRecomputation],
})
export class PhonesModule {}

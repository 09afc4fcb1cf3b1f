import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AccessGuard } from './access.guard.js';
import { AuthenticationService } from './authentication.service.js';
import { ClientsController } from './clients.controller.js';
import { ClientsService } from './clients.service.js';
import { RateLimitsService } from './rate-limits.service.js';

/** Guards every route of the application. */
@Module({
  controllers: [ClientsController],
  providers: [
    AuthenticationService,
    ClientsService,
    RateLimitsService,
    { provide: APP_GUARD, useClass: AccessGuard },
  ],
})
export class AccessModule {}

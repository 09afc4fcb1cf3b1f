import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AdminKeyCheck } from './admin-key-check.js';
import { AuthGuard } from './auth.guard.js';
import { AuthenticationService } from './authentication.service.js';
import { AuthorizationService } from './authorization.service.js';
import { SecurityLog } from './security-log.js';

/** Authenticates and authorizes the requests to every route. */
@Module({
  providers: [
    AdminKeyCheck,
    AuthenticationService,
    AuthorizationService,
    SecurityLog,
    { provide: APP_GUARD, useClass: AuthGuard },
  ],
  exports: [AuthenticationService, SecurityLog],
})
export class AuthModule {}

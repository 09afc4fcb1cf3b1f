import { Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { AuthModule } from './auth/auth.module.js';
import { ClientsModule } from './clients/clients.module.js';
import { environmentConfig } from './config/environment.js';
import { DatabaseModule } from './database/database.module.js';
import { DirectoryModule } from './directory/directory.module.js';
import { HealthModule } from './health/health.module.js';
import { PhonesModule } from './phones/phones.module.js';

@Module({
  imports: [
    ConfigModule.forRoot({ isGlobal: true, ignoreEnvFile: true, load: [environmentConfig] }),
    DatabaseModule,
    AuthModule,
    ClientsModule,
    DirectoryModule,
    PhonesModule,
    HealthModule,
  ],
})
export class AppModule {}

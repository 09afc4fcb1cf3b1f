import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Pool } from 'pg';
import { type Environment, environmentConfig } from '../config/environment.js';
import { FIND_ADMIN_KEY } from './auth.queries.js';

/** Warns when the service starts if writes require a key, but no admin has one. */
@Injectable()
export class AdminKeyCheck implements OnApplicationBootstrap {
  private readonly logger = new Logger(AdminKeyCheck.name);

  constructor(
    private readonly pool: Pool,
    @Inject(environmentConfig.KEY) private readonly environment: Environment,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { REQUIRE_API_KEY = 'never', ADMIN_API_KEY } = this.environment;
    if (REQUIRE_API_KEY === 'never' || ADMIN_API_KEY !== undefined) return;
    // The start must not fail because of a warning.
    const { rowCount } = await this.pool.query(FIND_ADMIN_KEY).catch(() => ({ rowCount: null }));
    if (rowCount !== 0) return;
    this.logger.warn(
      `REQUIRE_API_KEY is ${REQUIRE_API_KEY}, but no admin has a key: nobody can write, except clients that already ` +
        "have a key. Set ADMIN_API_KEY; node -p 'crypto.randomBytes(32).toString(`hex`)' prints a new key.",
    );
  }
}

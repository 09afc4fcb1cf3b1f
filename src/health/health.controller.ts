import { Controller, Get, Inject, ServiceUnavailableException, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  HealthCheck,
  type HealthCheckResult,
  HealthCheckService,
  HealthIndicatorService,
} from '@nestjs/terminus';
import { DataSource } from 'typeorm';
import { Public } from '../auth/auth.decorators.js';
import type { AppDataSource } from '../database/app-data-source.js';
import { ApiHealthy, ApiProblems } from '../common/api-responses.js';

/** How long the database may take to respond, in milliseconds. */
const TIME_LIMIT = 2000;

const noSwagger = { noCache: true, swaggerDocumentation: false };

@ApiTags('Health')
@Public()
@Controller({ path: 'health', version: VERSION_NEUTRAL })
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    @Inject(DataSource) private readonly dataSource: AppDataSource,
  ) {}

  @Get('live')
  @HealthCheck(noSwagger)
  @ApiOperation({ summary: 'Whether the process is running' })
  @ApiHealthy()
  @ApiProblems()
  getLiveness(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  @Get('ready')
  @HealthCheck(noSwagger)
  @ApiOperation({
    summary:
      'Whether requests can be served: the database responds and all migrations of this version have run',
  })
  @ApiHealthy()
  @ApiProblems(503)
  getReadiness(): Promise<HealthCheckResult> {
    return this.health
      .check([
        () =>
          this.indicators
            .check('database')
            .attempt(async () => {
              const pending = await this.dataSource.findPendingMigrations();
              if (pending.length > 0) throw new Error(`Migrations are pending: ${pending.join(', ')}.`);
            })
            .withTimeout(TIME_LIMIT),
      ])
      .catch(throwWithReason);
  }
}

/** Terminus puts the reason into the response, which is not sent, and not into the message, which is logged. */
function throwWithReason(error: unknown): never {
  if (!(error instanceof ServiceUnavailableException)) throw error;
  const { error: indicators } = error.getResponse() as HealthCheckResult;
  const { message = '' } = (indicators?.database ?? {}) as { message?: string };
  // The driver gives no reason if every address of a host refuses the connection.
  throw new ServiceUnavailableException(message === '' ? 'The database cannot be reached.' : message);
}

import type { LoggerService } from '@nestjs/common';
import type { FastifyBaseLogger } from 'fastify';

/** Sends what Nest logs to Fastify's pino. Nest's own `log` lines tell of its start, route by route: debug. */
export class PinoLogger implements LoggerService {
  constructor(private readonly pino: FastifyBaseLogger) {}

  log(message: unknown): void {
    this.pino.debug(message);
  }

  warn(message: unknown): void {
    this.pino.warn(message);
  }

  error(message: unknown): void {
    this.pino.error(message);
  }
}

import type { LoggerService } from '@nestjs/common';
import type { FastifyBaseLogger } from 'fastify';

/** Writes Nest's log to Fastify's pino logger. */
export class PinoLogger implements LoggerService {
  constructor(private readonly pino: FastifyBaseLogger) {}

  /** What Nest logs at this level, such as each route that it registers, is only of interest for debugging. */
  log(message: unknown, ...parameters: unknown[]): void {
    this.write('debug', message, parameters);
  }

  debug(message: unknown, ...parameters: unknown[]): void {
    this.write('debug', message, parameters);
  }

  warn(message: unknown, ...parameters: unknown[]): void {
    this.write('warn', message, parameters);
  }

  error(message: unknown, ...parameters: unknown[]): void {
    this.write('error', message, parameters);
  }

  fatal(message: unknown, ...parameters: unknown[]): void {
    this.write('fatal', message, parameters);
  }

  /** @param parameters as Nest passes them: for an error the stack trace, then the context, which is the name of the logger */
  private write(level: 'debug' | 'warn' | 'error' | 'fatal', message: unknown, parameters: unknown[]): void {
    const fields = { context: parameters.at(-1), stack: parameters.at(-2) };
    if (message instanceof Error) this.pino[level]({ ...fields, err: message });
    else if (typeof message === 'string') this.pino[level](fields, message);
    else this.pino[level]({ ...fields, ...(message as object) });
  }
}

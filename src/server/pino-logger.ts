import type { LoggerService } from '@nestjs/common';
import type { FastifyBaseLogger } from 'fastify';

/** The loggers of Nest that report each module, controller and route. */
const NEST_LOGGERS = ['InstanceLoader', 'NestApplication', 'NestFactory', 'RouterExplorer', 'RoutesResolver'];

/** Writes Nest's log to Fastify's pino logger. */
export class PinoLogger implements LoggerService {
  constructor(private readonly pino: FastifyBaseLogger) {}

  /** What Nest itself logs at this level is only of interest for debugging. */
  log(message: unknown, ...parameters: unknown[]): void {
    this.write(NEST_LOGGERS.includes(String(parameters.at(-1))) ? 'debug' : 'info', message, parameters);
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
  private write(
    level: 'debug' | 'info' | 'warn' | 'error' | 'fatal',
    message: unknown,
    parameters: unknown[],
  ): void {
    const fields = { context: parameters.at(-1), stack: parameters.at(-2) };
    if (message instanceof Error) this.pino[level]({ ...fields, err: message });
    else if (typeof message === 'string') this.pino[level](fields, message);
    else this.pino[level]({ ...fields, ...(message as object) });
  }
}

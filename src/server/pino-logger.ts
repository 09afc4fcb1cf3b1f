import type { LoggerService } from '@nestjs/common';
import type { FastifyBaseLogger } from 'fastify';
import type { DatabaseError } from 'pg';
import { errorMessage, postgresError } from '../database/postgres-errors.js';

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

  /**
   * @param parameters as Nest passes them: for an error the stack trace, then the context, which is the name of the
   * logger
   */
  private write(
    level: 'debug' | 'info' | 'warn' | 'error' | 'fatal',
    message: unknown,
    parameters: unknown[],
  ): void {
    const fields = { context: parameters.at(-1), stack: parameters.at(-2) };
    if (typeof message === 'string') {
      this.pino[level](fields, message);
      return;
    }
    const entry = message instanceof Error ? { err: message } : (message as { err?: unknown });
    // Serialized here, because pino also copies the message of an error to the line.
    const err = entry.err instanceof Error ? serializeError(entry.err) : entry.err;
    this.pino[level]({ ...fields, ...entry, err });
  }
}

interface SerializedError {
  type: string;
  message: string;
  stack: string;
  [field: string]: unknown;
}

/**
 * Serializes an error for the log. Only these fields are safe: others of TypeORM and `pg` contain the statement, its
 * parameters and the values of the row. An error that is already serialized is returned as it is.
 */
export function serializeError(error: Error | SerializedError): SerializedError {
  if (!(error instanceof Error)) return error;
  const { stack = '', cause }: Error = error;
  const message = errorMessage(error);
  const { code, severity, table, constraint } = postgresError(error) ?? (error as Partial<DatabaseError>);
  return {
    type: error.constructor.name,
    message,
    stack: stack.replace(`: ${error.message}`, () => `: ${message}`),
    code,
    severity,
    table,
    constraint,
    cause: cause instanceof Error ? serializeError(cause) : undefined,
    aggregateErrors:
      error instanceof AggregateError ? (error.errors as Error[]).map(serializeError) : undefined,
  };
}

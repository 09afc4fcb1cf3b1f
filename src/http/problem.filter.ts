import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isConnectionFailure, postgresError } from '../database/database-errors.js';
import type { AllowedMethods } from './allowed-methods.js';
import { type Problem, PROBLEM_JSON, FaultyRequestException, problem } from './problem.js';

/** After how many seconds a caller may try again what failed for want of the database. */
const RETRY_AFTER = 5;

const UNAVAILABLE = problem(503, 'The database cannot be reached or did not answer in time. Try again soon.');

/**
 * What a refusal by PostgreSQL means to the caller, by the class of its SQLSTATE
 * (PostgreSQL documentation, appendix A). An unlisted class is a fault of the service: 500.
 */
const PROBLEMS_BY_SQLSTATE_CLASS: Record<string, Problem | undefined> = {
  '08': UNAVAILABLE, // connection exception
  '22': problem(400, 'A value cannot be stored.'), // data exception
  '23': problem(404, 'What the request refers to has just been deleted.'), // integrity constraint violation
  '25': UNAVAILABLE, // invalid transaction state: a standby refuses to write
  '28': UNAVAILABLE, // invalid authorization specification
  '3D': UNAVAILABLE, // invalid catalog name: the database is gone
  '40': UNAVAILABLE, // transaction rollback: deadlock or serialization failure
  '53': UNAVAILABLE, // insufficient resources
  '55': UNAVAILABLE, // object not in prerequisite state: a lock was not to be had
  '57': UNAVAILABLE, // operator intervention: shutdown, or the statement took too long
  '58': UNAVAILABLE, // system error
};

/** What Fastify refuses before a controller sees it, where its own words would not tell a caller enough. */
const DETAILS_BY_STATUS: Record<number, string | undefined> = {
  413: 'The body is larger than 64 KiB.',
  415: 'The body must be JSON, with Content-Type: application/json.',
};

/** Answers every error with a problem document (RFC 9457). */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly log = new Logger(ProblemFilter.name);

  constructor(private readonly allowedMethods: AllowedMethods) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    if (reply.sent) return;

    const answer = request.is404 ? this.unrouted(request, reply) : this.problemOf(error);
    if (answer.status === 503) reply.header('Retry-After', RETRY_AFTER);
    // A string, because a schema of the route or a serializer of its own must not touch it.
    void reply.status(answer.status).type(PROBLEM_JSON).send(JSON.stringify(answer));
  }

  private unrouted({ method, url }: FastifyRequest, reply: FastifyReply): Problem {
    const allowed = this.allowedMethods.of(url);
    if (allowed.length === 0) return problem(404, 'There is nothing at this path.');
    reply.header('Allow', allowed.join(', '));
    return problem(405, `${method} is not possible here; ${allowed.join(', ')} are.`);
  }

  private problemOf(error: unknown): Problem {
    if (error instanceof HttpException) {
      const status = error.getStatus();
      return problem(
        status,
        DETAILS_BY_STATUS[status] ?? error.message,
        error instanceof FaultyRequestException ? error.faults : undefined,
      );
    }
    const refusal = postgresError(error);
    const answer = refusal ? PROBLEMS_BY_SQLSTATE_CLASS[refusal.code?.slice(0, 2) ?? ''] : undefined;
    if (answer !== undefined || isConnectionFailure(error)) {
      this.log.warn(String(error));
      return answer ?? UNAVAILABLE;
    }
    this.log.error(error);
    return problem(500, 'Something went wrong in the service. It has been logged.');
  }
}

import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpException,
  Logger,
  NotFoundException,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AllowedMethods } from './allowed-methods.js';
import { closeAfterResponse } from './http-server.js';
import { postgresProblem, DATABASE_UNAVAILABLE } from '../common/postgres-problem.js';
import {
  DETAIL_BY_STATUS,
  ValidationException,
  type ProblemDetails,
  problemDetails,
  sendProblem,
  RetryableException,
  UnauthenticatedException,
} from '../common/problem-details.js';
import { RequestTimeoutError } from './load-shedding.js';

/** After how many seconds a caller may try again what failed because the database is unavailable. */
const RETRY_AFTER = 5;

/** Answers every error with a problem document (RFC 9457). */
@Catch()
export class ProblemDetailsFilter implements ExceptionFilter {
  private readonly log = new Logger(ProblemDetailsFilter.name);

  constructor(private readonly allowedMethods: AllowedMethods) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    // Nobody is there to answer: the time limit has done so already, or the caller is gone.
    if (reply.sent || request.socket.destroyed) return;

    const isUnrouted = request.is404 && error instanceof NotFoundException;
    const answer = isUnrouted ? this.unrouted(request, reply) : this.problemOf(error, request);
    if (error instanceof RetryableException) reply.header('Retry-After', error.retryAfter);
    else if (answer.status === 503) reply.header('Retry-After', RETRY_AFTER);
    if (error instanceof UnauthenticatedException) reply.header('WWW-Authenticate', error.challenge);
    if (answer.status === 408) closeAfterResponse(reply);
    sendProblem(reply, answer);
  }

  private unrouted({ method, url }: FastifyRequest, reply: FastifyReply): ProblemDetails {
    const allowed = this.allowedMethods.of(url);
    if (allowed.length === 0 || allowed.includes(method))
      return problemDetails(404, 'There is nothing at this path.');
    reply.header('Allow', allowed.join(', '));
    return problemDetails(405, `${method} is not possible here; ${allowed.join(', ')} are.`);
  }

  private problemOf(error: unknown, request: FastifyRequest): ProblemDetails {
    if (error instanceof RetryableException) return problemDetails(error.getStatus(), error.message);
    if (error instanceof HttpException) {
      const status = error.getStatus();
      return problemDetails(
        status,
        (DETAIL_BY_STATUS as Record<number, string | undefined>)[status] ?? error.message,
        error instanceof ValidationException ? error.errors : undefined,
      );
    }
    // The time limit is over: either the body is not all there, or the database has not answered.
    const isLate = error instanceof RequestTimeoutError;
    if (isLate && !request.raw.complete) return problemDetails(408, DETAIL_BY_STATUS[408]);
    const answer = isLate ? DATABASE_UNAVAILABLE : postgresProblem(error);
    if (answer !== undefined) {
      this.log.warn(String(error));
      return answer;
    }
    this.log.error(error);
    return problemDetails(500, 'Something went wrong in the service. It has been logged.');
  }
}

import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  ForbiddenException,
  HttpException,
  Logger,
  NotFoundException,
  UnauthorizedException,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { SecurityLog } from '../auth/security-log.js';
import {
  DATABASE_UNAVAILABLE,
  DISK_FULL,
  findSequenceBehind,
  postgresProblem,
  SEQUENCE_BEHIND,
} from '../common/postgres-problem.js';
import {
  DETAIL_BY_STATUS,
  type UnsentProblemDetails,
  createProblemDetails,
  RetryableException,
  sendProblem,
  UnauthenticatedException,
  ValidationException,
} from '../common/problem-details.js';
import { errorMessage, postgresError } from '../database/postgres-errors.js';
import type { AllowedMethods } from './allowed-methods.js';
import { closeAfterResponse } from './http-server.js';
import { RequestTimeoutError } from './load-shedding.js';

/** After how many seconds a client should retry when the database is unavailable. */
const DATABASE_RETRY_AFTER = 5;

/** The response to a POST with an Idempotency-Key. */
const CREATION_UNAVAILABLE = createProblemDetails(
  503,
  `${DETAIL_BY_STATUS[503]} A retry with the same Idempotency-Key creates nothing twice.`,
);

/** Responds to every error with problem details (RFC 9457). */
@Catch()
export class ProblemDetailsFilter implements ExceptionFilter {
  private readonly logger = new Logger(ProblemDetailsFilter.name);

  constructor(
    private readonly allowedMethods: AllowedMethods,
    private readonly securityLog: SecurityLog,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    // The response was already sent at the time limit, or the client has disconnected.
    if (reply.sent || request.socket.destroyed) return;

    const isUnmatchedRoute = request.is404 && error instanceof NotFoundException;
    const problem = isUnmatchedRoute
      ? this.unmatchedRouteProblem(request, reply)
      : errorProblem(error, request);
    // What was validated can be stored, so a 4xx for an error of the database hints at a bug.
    if (problem.status >= 500 || postgresError(error)) this.log(error, request, problem);
    if (error instanceof UnauthorizedException || error instanceof ForbiddenException)
      this.securityLog.logRejectedKey(request, error);
    if (error instanceof RetryableException) reply.header('Retry-After', error.retryAfter);
    else if (problem.status === 503) reply.header('Retry-After', DATABASE_RETRY_AFTER);
    if (error instanceof UnauthenticatedException) reply.header('WWW-Authenticate', error.challenge);
    if (problem.status === 408) closeAfterResponse(reply);
    sendProblem(reply, problem);
  }

  private unmatchedRouteProblem({ method, url }: FastifyRequest, reply: FastifyReply): UnsentProblemDetails {
    const allowed = this.allowedMethods.find(url);
    // The method is allowed if a route itself responded 404, as Swagger UI does for a file that it does not have.
    if (allowed.length === 0 || allowed.includes(method))
      return createProblemDetails(404, 'There is nothing at this path.');
    reply.header('Allow', allowed.join(', '));
    return createProblemDetails(405, `Method ${method} is not allowed; use ${allowed.join(', ')}.`);
  }

  /** Logs an error. The ID of the request is also in the response, so that a client can quote it. */
  private log(
    error: unknown,
    { id, method, routeOptions }: FastifyRequest,
    problem: UnsentProblemDetails,
  ): void {
    const { status } = problem;
    const route = routeOptions.url;
    const entry = {
      err: error,
      method,
      route,
      status,
      request_id: id,
      msg: `${method} ${route ?? '(no route)'} returned ${status}: ${findSequenceBehind(error) ?? errorMessage(error)}`,
    };
    // Unlike other 503s, these do not end by themselves.
    const needsOperator = problem === DISK_FULL || problem === SEQUENCE_BEHIND;
    if (status === 500 || needsOperator) this.logger.error(entry);
    else this.logger.warn(entry);
  }
}

function errorProblem(error: unknown, request: FastifyRequest): UnsentProblemDetails {
  // Before HttpException, as a 503 of this class has a detail of its own.
  if (error instanceof RetryableException) return createProblemDetails(error.getStatus(), error.message);
  if (error instanceof HttpException) {
    const status = error.getStatus();
    return createProblemDetails(
      status,
      (DETAIL_BY_STATUS as Record<number, string | undefined>)[status] ?? error.message,
      error instanceof ValidationException ? error.errors : undefined,
    );
  }
  // At the time limit, either the body has not arrived or the database has not responded.
  const isTimeout = error instanceof RequestTimeoutError;
  if (isTimeout && !request.raw.complete) return createProblemDetails(408, DETAIL_BY_STATUS[408]);
  const problem = isTimeout ? DATABASE_UNAVAILABLE : postgresProblem(error);
  if (problem === undefined) {
    return createProblemDetails(500, 'An unexpected error occurred. It has been logged.');
  }
  const { headers, routeOptions } = request;
  // The other routes ignore the header, or reject it.
  const isRetrySafe =
    'idempotency-key' in headers && routeOptions.config.supportedHeader === 'Idempotency-Key';
  return problem === DATABASE_UNAVAILABLE && isRetrySafe ? CREATION_UNAVAILABLE : problem;
}

import { hash } from 'node:crypto';
import { BadRequestException, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest, onSendHookHandler } from 'fastify';
import { isRead } from './http-methods.js';
import { createProblemDetails, PROBLEM_JSON, serializeProblem } from './problem-details.js';
import { AcceptsHeader } from './supported-headers.js';

/** A resource with a version, which every change increments. */
export interface Versioned {
  id: number;
  version: number;
  /** A hash of what a query parameter has added to the response. Absent if nothing was added. */
  variant?: string;
}

/** The entity tags in `If-Match` or `If-None-Match`, or `*` for any (RFC 9110, section 13.1). */
type EntityTags = string[] | '*';

/**
 * An entity tag, weak or strong (RFC 9110, section 8.8.3), and a list of them, which may have empty elements (section
 * 5.6.1.2).
 */
const ENTITY_TAG = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/;
const ENTITY_TAGS = new RegExp(`^[\\s,]*(${ENTITY_TAG.source}\\s*(,[\\s,]*|$))+$`);

/**
 * Sets the strong `ETag` of each response to a read, and of each phone that a write returns. The entity tag of a phone
 * is its ID and version, with the variant of the response; any other is a hash of the body. A read returns 304 if
 * `If-None-Match` contains the entity tag, and 412 if `If-Match` does not.
 */
export function setEntityTags(fastify: FastifyInstance): void {
  fastify.addHook('preSerialization', (_request, reply, payload, done) => {
    if (isVersioned(payload)) reply.header('ETag', toEntityTag(payload));
    done(null, payload);
  });
  fastify.addHook('onRoute', (route) => {
    const hasEntityTag = route.url.startsWith('/v1/') && [route.method].flat().every(isRead);
    // Before Fastify's own hook for HEAD, which removes the body.
    if (hasEntityTag) route.onSend = [setEntityTagOfRead, ...[route.onSend ?? []].flat()];
  });
}

/** Sets the entity tag of a read, and evaluates the preconditions of the request. */
const setEntityTagOfRead: onSendHookHandler = (request, reply, payload, done) => {
  if (reply.statusCode !== 200 || typeof payload !== 'string') {
    done(null, payload);
    return;
  }
  const tag = (reply.getHeader('ETag') as string | undefined) ?? `"${hash('sha1', payload, 'base64url')}"`;
  reply.header('ETag', tag);
  const expected = parseEntityTags(request.headers['if-match'], 'strong');
  const known = parseEntityTags(request.headers['if-none-match'], 'weak');
  if (expected !== undefined && !matchesAny(tag, expected)) {
    reply.status(412).type(PROBLEM_JSON);
    done(null, serializeProblem(createProblemDetails(412, PRECONDITION_FAILED_DETAIL), request.id));
  } else if (known !== undefined && matchesAny(tag, known)) {
    reply.status(304).removeHeader('Content-Type').removeHeader('Content-Length');
    // For HEAD, Fastify removes the body itself, and fails if there is none.
    done(null, request.method === 'HEAD' ? payload : null);
  } else {
    done(null, payload);
  }
};

export const PRECONDITION_FAILED_DETAIL =
  'The resource has changed since it was read: its ETag is not among those in If-Match.';

/**
 * The entity tags in the `If-Match` header of a write; undefined if the header is absent or `*`.
 *
 * @throws BadRequestException when the header is malformed
 */
export const IfMatch = createParamDecorator(
  (_: unknown, context: ExecutionContext): string[] | undefined => {
    const header = context.switchToHttp().getRequest<FastifyRequest>().headers['if-match'];
    const tags = parseEntityTags(header, 'strong');
    if (header === undefined || tags === '*') return undefined;
    if (!ENTITY_TAGS.test(header)) {
      throw new BadRequestException(
        'If-Match must be * or a list of entity tags in quotes, separated by commas.',
      );
    }
    // The condition is about the phone itself, so the variant of the response is left out.
    return tags?.map((tag) => tag.replace(/^"(\d+\.\d+)\..+"$/, '"$1"'));
  },
  [
    AcceptsHeader('If-Match', {
      description:
        'The `ETag` of the phone as it was read. If the phone has changed since, the request has no effect and returns 412.',
      schema: { type: 'string', example: '*' },
    }),
  ],
);

function toEntityTag({ id, version, variant }: Versioned): string {
  return variant === undefined ? `"${id}.${version}"` : `"${id}.${version}.${variant}"`;
}

/** The SQL expression of the entity tag of a row. */
export function entityTagSql(table: string): string {
  return `'"' || ${table}.id || '.' || ${table}.version || '"'`;
}

function isVersioned(payload: unknown): payload is Versioned {
  return typeof payload === 'object' && payload !== null && 'version' in payload && 'id' in payload;
}

/**
 * @returns the entity tags in a header; undefined without a header. In a strong comparison, weak ones are left out, as
 *   they never match (RFC 9110, section 8.8.3.2)
 */
function parseEntityTags(header: string | undefined, comparison: 'strong' | 'weak'): EntityTags | undefined {
  if (header === undefined) return undefined;
  if (header.trim() === '*') return '*';
  const tags = [...header.matchAll(new RegExp(ENTITY_TAG, 'g'))].filter(
    ([, weak]) => comparison === 'weak' || !weak,
  );
  return tags.map(([, , opaque = '']) => opaque);
}

function matchesAny(tag: string, tags: EntityTags): boolean {
  return tags === '*' || tags.includes(tag);
}

import { hash } from 'node:crypto';
import { BadRequestException, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest, onSendHookHandler } from 'fastify';
import { isRead } from './http-methods.js';
import { problemDetails, PROBLEM_JSON } from './problem-details.js';
import { AcceptsHeader } from './supported-headers.js';

/** What counts its own changes: `version` is the number of the state that it is in. */
export interface Versioned {
  id: number;
  version: number;
}

/** The entity tags of an `If-Match` or `If-None-Match`, or `*` for any (RFC 9110, section 13.1). */
type EntityTags = string[] | '*';

/** One entity tag, weak or strong (RFC 9110, section 8.8.3), and a list of them, which may have empty elements (5.6.1.2). */
const ENTITY_TAG = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/;
const ENTITY_TAGS = new RegExp(`^[\\s,]*(${ENTITY_TAG.source}\\s*(,[\\s,]*|$))+$`);

/**
 * Gives each answer to a read its strong `ETag`, and each phone that a write returns. That of a phone is its ID and its
 * version, that of anything else a hash of the body. A read is answered 304 where `If-None-Match` names the tag, and
 * 412 where `If-Match` does not.
 */
export function setEntityTags(fastify: FastifyInstance): void {
  fastify.addHook('preSerialization', (_request, reply, payload, done) => {
    if (isVersioned(payload)) reply.header('ETag', toEntityTag(payload));
    done(null, payload);
  });
  fastify.addHook('onRoute', (route) => {
    const isTagged = route.url.startsWith('/v1/') && [route.method].flat().every(isRead);
    // First, as that of a HEAD takes the body away.
    if (isTagged) route.onSend = [setEntityTagOfRead, ...[route.onSend ?? []].flat()];
  });
}

/** Tags the answer to a read, or answers what the request's preconditions make of it. */
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
    done(null, JSON.stringify(problemDetails(412, PRECONDITION_FAILED)));
  } else if (known !== undefined && matchesAny(tag, known)) {
    reply.status(304).removeHeader('Content-Type').removeHeader('Content-Length');
    // Fastify itself takes the body away from the answer to a HEAD, and fails where there is none.
    done(null, request.method === 'HEAD' ? payload : null);
  } else {
    done(null, payload);
  }
};

export const PRECONDITION_FAILED = 'It has changed since: its ETag is none of those in If-Match.';

/**
 * The entity tags in the `If-Match` of a write; undefined where any state will do.
 *
 * @throws BadRequestException for what is no list of entity tags
 */
export const IfMatch = createParamDecorator(
  (_: unknown, context: ExecutionContext): string[] | undefined => {
    const header = context.switchToHttp().getRequest<FastifyRequest>().headers['if-match'];
    const tags = parseEntityTags(header, 'strong');
    if (header === undefined || tags === '*') return undefined;
    if (!ENTITY_TAGS.test(header)) {
      throw new BadRequestException('If-Match must be *, or entity tags in quotes separated by commas.');
    }
    return tags;
  },
  [
    AcceptsHeader('If-Match', {
      description: 'The `ETag` of the phone as it was read. If it has changed since, nothing is done: 412.',
      schema: { type: 'string', example: '*' },
    }),
  ],
);

function toEntityTag({ id, version }: Versioned): string {
  return `"${id}.${version}"`;
}

/** The same in SQL, for a row of a table. */
export function entityTagSql(table: string): string {
  return `'"' || ${table}.id || '.' || ${table}.version || '"'`;
}

function isVersioned(payload: unknown): payload is Versioned {
  return typeof payload === 'object' && payload !== null && 'version' in payload && 'id' in payload;
}

/** In the strong comparison a weak tag equals none, in the weak one it equals the strong one (RFC 9110, section 8.8.3.2). */
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

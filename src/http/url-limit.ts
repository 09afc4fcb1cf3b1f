import { HttpException } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { DETAILS } from './problem.js';

/** The longest URL, in bytes; RFC 9110, section 4.1, asks for 8000 at least. */
const URL_LIMIT = 8 * 1024;

/** Refuses a URL that no resource can have. Node.js itself limits only the URL and the headers together. */
export function limitUrls(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    done(request.url.length > URL_LIMIT ? new HttpException(DETAILS[414], 414) : undefined);
  });
}

import type { OpenAPIObject } from '@nestjs/swagger';
import { ETAG_HEADER } from './api-responses.js';

/** Documents `ETag` and `If-None-Match` for every read under `/v1`. */
export function describeEntityTags(document: OpenAPIObject): OpenAPIObject {
  for (const [path, { get }] of Object.entries(document.paths)) {
    if (!path.startsWith('/v1/') || get === undefined) continue;
    get.parameters = [
      ...(get.parameters ?? []),
      {
        name: 'If-None-Match',
        in: 'header',
        description:
          'The `ETag` of a response that the client already has. If it is still current, the response is 304.',
        schema: { type: 'string' },
      },
    ];
    get.responses['304'] = { description: 'The resource has not changed.', headers: ETAG_HEADER };
    const { 200: found } = get.responses;
    if (found !== undefined && 'description' in found) found.headers = { ...found.headers, ...ETAG_HEADER };
  }
  return document;
}

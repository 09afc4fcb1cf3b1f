import type { OpenAPIObject } from '@nestjs/swagger';
import { ApiEtagHeader } from './api-responses.js';

/** Says of every read under `/v1` that it has an `ETag`, and what `If-None-Match` does. */
export function describeEntityTags(document: OpenAPIObject): OpenAPIObject {
  for (const [path, { get }] of Object.entries(document.paths)) {
    if (!path.startsWith('/v1/') || get === undefined) continue;
    get.parameters = [
      ...(get.parameters ?? []),
      {
        name: 'If-None-Match',
        in: 'header',
        description:
          'The `ETag` of the answer that is known already: if it is still right, it is not sent again.',
        schema: { type: 'string' },
      },
    ];
    get.responses['304'] = { description: 'It has not changed.', headers: ApiEtagHeader };
    const { 200: found } = get.responses;
    if (found !== undefined && 'description' in found) found.headers = { ...found.headers, ...ApiEtagHeader };
  }
  return document;
}

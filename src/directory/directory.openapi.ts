import { applyDecorators, type Type } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { LINK_HEADER, LOCATION_HEADER, ApiProblems } from '../common/api-responses.js';

/*
 * What the OpenAPI document says of the five operations, which are the same for every resource of the directory.
 * `resource` comes with its article, as in "an organization". A controller whose path names an organization adds 404 to
 * all of them.
 */

export const ApiListResources = (type: Type, resources: string) =>
  applyDecorators(
    ApiOperation({ summary: `List the ${resources}`, description: 'By ascending ID, one page at a time.' }),
    ApiOkResponse({ type: [type], description: 'The page.', headers: LINK_HEADER }),
    ApiProblems(503),
  );

export const ApiCreateResource = (type: Type, resource: string, description?: string) =>
  applyDecorators(
    ApiOperation({ summary: `Create ${resource}`, description }),
    ApiCreatedResponse({ type, description: 'The new resource.', headers: LOCATION_HEADER }),
    ApiProblems(409, 413, 415, 503),
  );

export const ApiGetResource = (type: Type, resource: string) =>
  applyDecorators(
    ApiOperation({ summary: `Get ${resource}` }),
    ApiOkResponse({ type, description: 'The resource.' }),
    ApiProblems(404, 503),
  );

export const ApiUpdateResource = (type: Type, resource: string) =>
  applyDecorators(
    ApiOperation({
      summary: `Update ${resource}`,
      description: 'Changes the fields in the body and leaves the others.',
    }),
    ApiOkResponse({ type, description: 'The updated resource.' }),
    ApiProblems(404, 413, 415, 503),
  );

export const ApiDeleteResource = (resource: string, description: string) =>
  applyDecorators(
    ApiOperation({ summary: `Delete ${resource}`, description }),
    ApiNoContentResponse({ description: 'The resource was deleted.' }),
    ApiProblems(404, 413, 415, 503),
  );

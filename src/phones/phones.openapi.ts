import { applyDecorators, Header } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiQuery,
} from '@nestjs/swagger';
import { RouteSchema } from '@nestjs/platform-fastify';
import { ETAG_HEADER, LOCATION_HEADER, ApiProblems } from '../common/api-responses.js';
import { ApiPhoneId } from '../common/path-params.js';
import { DIALING_SCHEMA, PhoneWithDialingDto } from './dto/dialing.dto.js';
import { PHONE_FIELDS, PhoneDto } from './dto/phone.dto.js';
import { MAX_PHONES } from './phone.queries.js';

/*
 * What the OpenAPI document says of the five operations, which are the same for every owner, and the schema by which
 * Fastify serializes their responses. `owner` comes with its article, as in "an organization"; `example` is the ID of a
 * phone of that owner in the sample data.
 */

const PHONE = { type: 'object', properties: PHONE_FIELDS };

const PHONE_WITH_DIALING = { type: 'object', properties: { ...PHONE_FIELDS, dialing: DIALING_SCHEMA } };

const ApiInclude = () =>
  ApiQuery({
    name: 'include',
    description: 'Adds what each phone dials.',
    enum: ['dialing'],
    required: false,
  });

export const ApiListPhones = (owner: string) =>
  applyDecorators(
    ApiOperation({
      summary: `List the phones of ${owner}`,
      description: 'All phones of the owner, by ascending ID.',
    }),
    ApiInclude(),
    // The handler returns JSON, which Fastify would send as text/plain.
    Header('Content-Type', 'application/json; charset=utf-8'),
    ApiOkResponse({
      type: [PhoneWithDialingDto],
      description: 'The phones. An empty array if there are none.',
    }),
    ApiProblems(404, 503),
  );

export const ApiCreatePhone = (owner: string) =>
  applyDecorators(
    ApiOperation({
      summary: `Add a phone to ${owner}`,
      description:
        'The first phone becomes the primary one unless `is_primary` is `false`. ' +
        `An owner can have at most ${MAX_PHONES} phones; for one more, the response is 409.`,
    }),
    RouteSchema({ response: { 201: PHONE } }),
    ApiCreatedResponse({
      type: PhoneDto,
      description: 'The new phone.',
      // Set by the hooks setLocationHeader and setEntityTags.
      headers: { ...LOCATION_HEADER, ...ETAG_HEADER },
    }),
    ApiProblems(404, 409, 413, 415, 503),
  );

export const ApiGetPhone = (owner: string, example: number) =>
  applyDecorators(
    ApiPhoneId(example),
    ApiOperation({ summary: `Get a phone of ${owner}` }),
    ApiInclude(),
    RouteSchema({ response: { 200: PHONE_WITH_DIALING } }),
    ApiOkResponse({ type: PhoneWithDialingDto, description: 'The phone.' }),
    ApiProblems(404, 503),
  );

export const ApiUpdatePhone = (owner: string, example: number) =>
  applyDecorators(
    ApiPhoneId(example),
    ApiOperation({
      summary: `Update a phone of ${owner}`,
      description: 'Changes the fields in the body and leaves the others.',
    }),
    RouteSchema({ response: { 200: PHONE } }),
    ApiOkResponse({ type: PhoneDto, description: 'The updated phone.', headers: ETAG_HEADER }),
    ApiProblems(404, 413, 415, 503),
  );

export const ApiDeletePhone = (owner: string, example: number) =>
  applyDecorators(
    ApiPhoneId(example),
    ApiOperation({
      summary: `Delete a phone of ${owner}`,
      description: 'Deleting the primary phone leaves the owner without one until another is made primary.',
    }),
    ApiNoContentResponse({ description: 'The phone was deleted.' }),
    ApiProblems(404, 413, 415, 503),
  );

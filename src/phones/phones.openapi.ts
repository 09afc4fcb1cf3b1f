import { applyDecorators, Header } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { RouteSchema } from '@nestjs/platform-fastify';
import { ApiEtagHeader, ApiLocationHeader, ApiProblems } from '../common/api-responses.js';
import { ApiPhoneId } from '../common/path-params.js';
import { PHONE_FIELDS, PhoneDto } from './dto/phone.dto.js';

/*
 * What the OpenAPI document says of the five operations, which are the same for every owner, and the schema by which
 * Fastify serializes their responses. `owner` comes with its article, as in "an organization"; `example` is the ID of a
 * phone of that owner in the sample data.
 */

const PHONE = { type: 'object', properties: PHONE_FIELDS };

export const ApiListPhones = (owner: string) =>
  applyDecorators(
    ApiOperation({ summary: `List the phones of ${owner}`, description: 'All of them, by ascending ID.' }),
    // The handler returns JSON, which Fastify would send as text/plain.
    Header('Content-Type', 'application/json; charset=utf-8'),
    ApiOkResponse({ type: [PhoneDto], description: 'The phones; none is an empty array.' }),
    ApiProblems(404, 503),
  );

export const ApiCreatePhone = (owner: string) =>
  applyDecorators(
    ApiOperation({
      summary: `Add a phone to ${owner}`,
      description: 'The first phone is the primary one unless `is_primary` says otherwise.',
    }),
    RouteSchema({ response: { 201: PHONE } }),
    ApiCreatedResponse({
      type: PhoneDto,
      description: 'The new phone.',
      headers: { ...ApiLocationHeader, ...ApiEtagHeader },
    }),
    ApiProblems(404, 409, 413, 415, 503),
  );

export const ApiGetPhone = (owner: string, example: number) =>
  applyDecorators(
    ApiPhoneId(example),
    ApiOperation({ summary: `Get a phone of ${owner}` }),
    RouteSchema({ response: { 200: PHONE } }),
    ApiOkResponse({ type: PhoneDto, description: 'The phone.' }),
    ApiProblems(404, 503),
  );

export const ApiUpdatePhone = (owner: string, example: number) =>
  applyDecorators(
    ApiPhoneId(example),
    ApiOperation({
      summary: `Change a phone of ${owner}`,
      description: 'Changes the fields that the body names and leaves the others.',
    }),
    RouteSchema({ response: { 200: PHONE } }),
    ApiOkResponse({ type: PhoneDto, description: 'The phone as it is now.', headers: ApiEtagHeader }),
    ApiProblems(404, 413, 415, 503),
  );

export const ApiDeletePhone = (owner: string, example: number) =>
  applyDecorators(
    ApiPhoneId(example),
    ApiOperation({
      summary: `Delete a phone of ${owner}`,
      description: 'Deleting the primary number leaves the owner without one until another is made primary.',
    }),
    ApiNoContentResponse({ description: 'The phone is gone.' }),
    ApiProblems(404, 413, 415, 503),
  );

import { hash } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import pg, { type QueryConfig } from 'pg';
import { toDialingColumns } from '../../src/phones/dialing-columns.js';
import { createPhone, updatePhone } from '../../src/phones/phone.queries.js';
import type { PhoneOwner } from '../../src/phones/phone-owner.js';
import { MAX_ID } from '../../src/validation/id.js';
import { validateText } from '../../src/validation/text.js';

/*
 * The baseline: the phone routes of the three owner types, written by hand on Fastify and `pg`, with one prepared statement
 * for each operation. It shares the service's statements for writes. It validates requests as the service does and returns
 * the same responses. It has no authentication, rate limits, load shedding, preconditions, timeouts or security headers.
 */

const PROBLEM = 'application/problem+json; charset=utf-8';

interface PhoneRow {
  id: number | null;
  digits: string;
  phone_type: string | null;
  is_primary: boolean;
  version: number;
}

const PHONE = {
  type: 'object',
  properties: {
    id: { type: 'integer' },
    digits: { type: 'string' },
    phone_type: { type: 'string', nullable: true },
    is_primary: { type: 'boolean' },
  },
};

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10, idleTimeoutMillis: 0 });
const app = Fastify({ routerOptions: { ignoreTrailingSlash: true, maxParamLength: 16 * 1024 } });

app.removeContentTypeParser('text/plain');

class ProblemError extends Error {
  constructor(
    readonly statusCode: number,
    detail: string,
    readonly errors?: { pointer: string; detail: string }[],
  ) {
    super(detail);
  }
}

app.setErrorHandler<Error & { statusCode?: number }>((error, _request, reply) => {
  const { statusCode: status = 500, message: detail } = error;
  const problem = { type: 'about:blank', title: STATUS_CODES[status], status, detail };
  const errors = error instanceof ProblemError ? error.errors : undefined;
  return reply
    .status(status)
    .type(PROBLEM)
    .send(JSON.stringify({ ...problem, ...(errors && { errors }) }));
});

function rowOrNotFound<Row>([row]: Row[], resource: string): Row {
  if (row === undefined) throw new ProblemError(404, `There is no such ${resource}.`);
  return row;
}

function parseIdOrSlug(value: string, resource: string): number | string {
  if (!/^\d+$/.test(value)) {
    if (/^[a-z0-9-]+$/.test(value)) return value;
  } else if (Number(value) >= 1 && Number(value) <= MAX_ID) {
    return Number(value);
  }
  throw new ProblemError(404, `There is no such ${resource}.`);
}

function parsePhoneId(value: string): number {
  if (!/^-?\d+$/.test(value)) throw new ProblemError(400, 'The id of a phone must be an integer.');
  return parseIdOrSlug(value, 'phone') as number;
}

interface PhoneBody {
  digits: string;
  phone_type?: string | null;
  is_primary?: boolean;
}

/** @throws ProblemError with every field error of the body */
function parsePhoneBody(body: unknown, isNew: boolean): PhoneBody {
  const errors: { pointer: string; detail: string }[] = [];
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new ProblemError(400, 'The body is invalid; see errors.', [
      { pointer: '', detail: 'must be a JSON object' },
    ]);
  }
  let { digits, phone_type } = body as { digits?: unknown; phone_type?: unknown };
  const { is_primary } = body as { is_primary?: unknown };
  if (typeof digits === 'string') digits = digits.trim();
  if (typeof phone_type === 'string') phone_type = phone_type.trim() || null;
  const digitsError = digits === undefined && !isNew ? undefined : validateText(digits, { digit: true });
  if (digitsError !== undefined) errors.push({ pointer: '/digits', detail: digitsError });
  const typeError = phone_type === undefined ? undefined : validateText(phone_type, { nullable: true });
  if (typeError !== undefined) errors.push({ pointer: '/phone_type', detail: typeError });
  if (is_primary !== undefined && typeof is_primary !== 'boolean') {
    errors.push({ pointer: '/is_primary', detail: 'must be true or false' });
  }
  for (const field of Object.keys(body)) {
    if (field === 'digits' || field === 'phone_type' || field === 'is_primary' || field === 'id') continue;
    errors.push({ pointer: `/${field}`, detail: 'is not a known field' });
  }
  if (errors.length > 0) throw new ProblemError(400, 'The body is invalid; see errors.', errors);
  return { digits, phone_type, is_primary } as PhoneBody;
}

/** How to find the owner that a path names. */
interface OwnerLookup {
  owner: PhoneOwner;
  /** Part of the name of each prepared statement that contains the lookup. */
  name: string;
  /** A query that selects the ID of the owner. */
  sql: string;
  /** The values of `$1` and, unless the owner is an organization, `$2` in the query. */
  values: (number | string)[];
}

const columnOf = (value: number | string) => (typeof value === 'number' ? 'id' : 'slug');

function ownerLookup(type: PhoneOwner['type'], params: Record<string, string>): OwnerLookup {
  const organization = parseIdOrSlug(params.organization_id ?? '', 'organization');
  const organizationSql = `SELECT id FROM organizations WHERE ${columnOf(organization)} = `;
  if (type === 'organization') {
    const owner: PhoneOwner = { type, id: organization };
    const name = `${type} by ${columnOf(organization)}`;
    return { owner, name, sql: `${organizationSql}$1`, values: [organization] };
  }
  const id = parseIdOrSlug(params.owner_id ?? '', type);
  if (type === 'location' && typeof id === 'string')
    throw new ProblemError(404, 'There is no such location.');
  const owner = { type, id, organization } as PhoneOwner;
  const table = type === 'opportunity' ? 'opportunities' : 'locations';
  const organizationId = typeof organization === 'number' ? '$2' : `(${organizationSql}$2)`;
  const sql = `SELECT id FROM ${table} WHERE ${columnOf(id)} = $1 AND organization_id = ${organizationId}`;
  const name = `${type} by ${columnOf(id)} of organization by ${columnOf(organization)}`;
  return { owner, name, sql, values: [id, organization] };
}

async function queryPhones(statement: QueryConfig): Promise<PhoneRow[]> {
  return (await pool.query<PhoneRow>(statement)).rows;
}

function sendPhone(reply: FastifyReply, phone: PhoneRow): PhoneRow {
  reply.header('ETag', `"${phone.id}.${phone.version}"`);
  return phone;
}

const FIELDS = 'phones.id, phones.digits, phones.phone_type, phones.is_primary, phones.version';

app.addHook('onSend', (request, reply, payload, done) => {
  reply.header('Cache-Control', 'no-cache');
  if (request.method === 'GET' && reply.statusCode === 200 && !reply.hasHeader('ETag')) {
    reply.header('ETag', `"${hash('sha1', payload as string, 'base64url')}"`);
  }
  done(null, payload);
});

const ROUTES = {
  organization: '/v1/organizations/:organization_id/phones',
  opportunity: '/v1/organizations/:organization_id/opportunities/:owner_id/phones',
  location: '/v1/organizations/:organization_id/locations/:owner_id/phones',
} as const;

for (const type of ['organization', 'opportunity', 'location'] as const) {
  const url = ROUTES[type];
  const lookupOf = ({ params }: FastifyRequest) => ownerLookup(type, params as Record<string, string>);
  const phoneIdOf = ({ params }: FastifyRequest) => parsePhoneId((params as { id: string }).id);

  // PostgreSQL serializes the list, which is faster than to parse the rows and serialize them here.
  app.get(url, async (request, reply) => {
    const { name, sql, values } = lookupOf(request);
    const { rows } = await pool.query<{ phones: string }>({
      name: `list ${name}`,
      text: `
        SELECT (
          SELECT '[' || coalesce(string_agg(row_to_json(phone)::text, ','), '') || ']'
          FROM (
            SELECT id, digits, phone_type, is_primary
            FROM phones WHERE owner_type = '${type}' AND owner_id = owner.id
            ORDER BY id
          ) AS phone
        ) AS phones
        FROM (${sql}) AS owner`,
      values,
    });
    reply.type('application/json; charset=utf-8');
    return rowOrNotFound(rows, type).phones;
  });

  app.get(`${url}/:id`, { schema: { response: { 200: PHONE } } }, async (request, reply) => {
    const { name, sql, values } = lookupOf(request);
    const rows = await queryPhones({
      name: `get ${name}`,
      text: `
        SELECT ${FIELDS} FROM (${sql}) AS owner
        LEFT JOIN phones ON phones.owner_type = '${type}' AND phones.owner_id = owner.id
          AND phones.id = $${values.length + 1}`,
      values: [...values, phoneIdOf(request)],
    });
    const phone = rowOrNotFound(rows, type);
    if (phone.id === null) throw new ProblemError(404, 'There is no such phone.');
    return sendPhone(reply, phone);
  });

  app.post(url, { schema: { response: { 201: PHONE } } }, async (request, reply) => {
    const { owner } = lookupOf(request);
    const body = parsePhoneBody(request.body, true);
    const dialing = toDialingColumns(body.digits, 'US');
    const phone = rowOrNotFound(await queryPhones(createPhone(owner, body, dialing)), type);
    reply.status(201).header('Location', `${request.url}/${phone.id}`);
    return sendPhone(reply, phone);
  });

  app.put(`${url}/:id`, { schema: { response: { 200: PHONE } } }, async (request, reply) => {
    const { owner } = lookupOf(request);
    const changes: Partial<PhoneBody> = parsePhoneBody(request.body, false);
    const dialing = changes.digits === undefined ? undefined : toDialingColumns(changes.digits, 'US');
    const rows = await queryPhones(updatePhone(owner, phoneIdOf(request), changes, dialing));
    return sendPhone(reply, rowOrNotFound(rows, 'phone'));
  });
}

console.log(await app.listen({ port: 0, host: '127.0.0.1' }));

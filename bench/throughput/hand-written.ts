import { hash } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import pg, { type QueryConfig } from 'pg';
import { createPhone, updatePhone } from '../../src/phones/phone.queries.js';
import type { PhoneOwner } from '../../src/phones/phone-owner.js';
import { MAX_ID } from '../../src/validation/id.js';
import { validateText } from '../../src/validation/text.js';

/*
 * The baseline: the phones of the three types of owner as one writes them by hand, on bare Fastify and `pg`, with one
 * prepared statement for each operation; those that write are the service's own. It makes the same checks of what is sent,
 * and gives the same answers. It leaves out keys, limits, preconditions, time limits and the headers for browsers.
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

class Refusal extends Error {
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
  const errors = error instanceof Refusal ? error.errors : undefined;
  return reply
    .status(status)
    .type(PROBLEM)
    .send(JSON.stringify({ ...problem, ...(errors && { errors }) }));
});

function found<Row>([row]: Row[], resource: string): Row {
  if (row === undefined) throw new Refusal(404, `There is no such ${resource}.`);
  return row;
}

function key(value: string, resource: string): number | string {
  if (!/^\d+$/.test(value)) {
    if (/^[a-z0-9-]+$/.test(value)) return value;
  } else if (Number(value) >= 1 && Number(value) <= MAX_ID) {
    return Number(value);
  }
  throw new Refusal(404, `There is no such ${resource}.`);
}

function phoneId(value: string): number {
  if (!/^-?\d+$/.test(value)) throw new Refusal(400, 'The id of a phone must be an integer.');
  return key(value, 'phone') as number;
}

interface PhoneBody {
  digits: string;
  phone_type?: string | null;
  is_primary?: boolean;
}

/** @throws Refusal with every fault of the body */
function phoneBody(body: unknown, isNew: boolean): PhoneBody {
  const errors: { pointer: string; detail: string }[] = [];
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new Refusal(400, 'The body is invalid; see errors.', [
      { pointer: '', detail: 'must be a JSON object' },
    ]);
  }
  let { digits, phone_type } = body as { digits?: unknown; phone_type?: unknown };
  const { is_primary } = body as { is_primary?: unknown };
  if (typeof digits === 'string') digits = digits.trim();
  if (typeof phone_type === 'string') phone_type = phone_type.trim() || null;
  const faultOfDigits = digits === undefined && !isNew ? undefined : validateText(digits, { digit: true });
  if (faultOfDigits !== undefined) errors.push({ pointer: '/digits', detail: faultOfDigits });
  const faultOfType = phone_type === undefined ? undefined : validateText(phone_type, { nullable: true });
  if (faultOfType !== undefined) errors.push({ pointer: '/phone_type', detail: faultOfType });
  if (is_primary !== undefined && typeof is_primary !== 'boolean') {
    errors.push({ pointer: '/is_primary', detail: 'must be true or false' });
  }
  for (const field of Object.keys(body)) {
    if (field === 'digits' || field === 'phone_type' || field === 'is_primary' || field === 'id') continue;
    errors.push({ pointer: `/${field}`, detail: 'is not a known field' });
  }
  if (errors.length > 0) throw new Refusal(400, 'The body is invalid; see errors.', errors);
  return { digits, phone_type, is_primary } as PhoneBody;
}

/** Whose phones they are, by the path: how to find the owner, and with which values. */
interface OwnerOfPath {
  owner: PhoneOwner;
  /** Of the statements. */
  name: string;
  /** With `$1` and, but for organizations, `$2`. */
  find: string;
  keys: (number | string)[];
}

const columnOf = (value: number | string) => (typeof value === 'number' ? 'id' : 'slug');

function ownerOf(type: PhoneOwner['type'], params: Record<string, string>): OwnerOfPath {
  const organization = key(params.organization_id ?? '', 'organization');
  const organizationFind = `SELECT id FROM organizations WHERE ${columnOf(organization)} = `;
  if (type === 'organization') {
    const owner: PhoneOwner = { type, id: organization };
    const name = `${type} by ${columnOf(organization)}`;
    return { owner, name, find: `${organizationFind}$1`, keys: [organization] };
  }
  const id = key(params.owner_id ?? '', type);
  if (type === 'location' && typeof id === 'string') throw new Refusal(404, 'There is no such location.');
  const owner = { type, id, organization } as PhoneOwner;
  const table = type === 'opportunity' ? 'opportunities' : 'locations';
  const organizationId = typeof organization === 'number' ? '$2' : `(${organizationFind}$2)`;
  const find = `SELECT id FROM ${table} WHERE ${columnOf(id)} = $1 AND organization_id = ${organizationId}`;
  const name = `${type} by ${columnOf(id)} of organization by ${columnOf(organization)}`;
  return { owner, name, find, keys: [id, organization] };
}

async function query(statement: QueryConfig): Promise<PhoneRow[]> {
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
  const ownerIn = ({ params }: FastifyRequest) => ownerOf(type, params as Record<string, string>);
  const idIn = ({ params }: FastifyRequest) => phoneId((params as { id: string }).id);

  // As JSON, which PostgreSQL writes faster than this would read the rows and write it.
  app.get(url, async (request, reply) => {
    const { name, find, keys } = ownerIn(request);
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
        FROM (${find}) AS owner`,
      values: keys,
    });
    reply.type('application/json; charset=utf-8');
    return found(rows, type).phones;
  });

  app.get(`${url}/:id`, { schema: { response: { 200: PHONE } } }, async (request, reply) => {
    const { name, find, keys } = ownerIn(request);
    const rows = await query({
      name: `get ${name}`,
      text: `
        SELECT ${FIELDS} FROM (${find}) AS owner
        LEFT JOIN phones ON phones.owner_type = '${type}' AND phones.owner_id = owner.id
          AND phones.id = $${keys.length + 1}`,
      values: [...keys, idIn(request)],
    });
    const phone = found(rows, type);
    if (phone.id === null) throw new Refusal(404, 'There is no such phone.');
    return sendPhone(reply, phone);
  });

  app.post(url, { schema: { response: { 201: PHONE } } }, async (request, reply) => {
    const { owner } = ownerIn(request);
    const phone = found(await query(createPhone(owner, phoneBody(request.body, true))), type);
    reply.status(201).header('Location', `${request.url}/${phone.id}`);
    return sendPhone(reply, phone);
  });

  app.put(`${url}/:id`, { schema: { response: { 200: PHONE } } }, async (request, reply) => {
    const { owner } = ownerIn(request);
    const rows = await query(updatePhone(owner, idIn(request), phoneBody(request.body, false)));
    return sendPhone(reply, found(rows, 'phone'));
  });
}

console.log(await app.listen({ port: 0, host: '127.0.0.1' }));

import { createHash } from 'node:crypto';
import pg, { type ClientBase, Pool, type QueryConfig } from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { fill } from '../bench/throughput/data.js';
import { PHONES_PER_ORGANIZATION, PHONES_PER_OWNER } from '../bench/throughput/operations.js';
import { findClient } from '../src/auth/auth.queries.js';
import { dialingVersion } from '../src/dialing/dialed-number.js';
import { FIND_RESPONSE, SAVE_RESPONSE } from '../src/idempotency/idempotency.queries.js';
import { toDialingColumns } from '../src/phones/dialing-columns.js';
import type { PhoneOwner } from '../src/phones/phone-owner.js';
import {
  createPhone,
  deletePhone,
  findMissingPart,
  findOutdatedPhones,
  getPhones,
  listPhones,
  lockOwner,
  MAX_PHONES,
  recomputePhones,
  searchPhones,
  updatePhone,
} from '../src/phones/phone.queries.js';
import { app } from './support/api.js';
import { databaseSettings, SERVER } from './support/database.js';

const SMALL = 100_000;
const LARGE = 1_000_000;

/** How much more a statement may cost in a table ten times as large, whose index may be one level deeper. */
const MAX_GROWTH = 1.2;

/** The estimated cost of reading one page (`random_page_cost`). */
const PAGE_COST = 4;

const OWNERS: PhoneOwner[] = [
  { type: 'organization', id: 900 },
  { type: 'organization', id: 'organization-900' },
  ...(['id', 'slug'] as const).flatMap((key) => {
    const organization = key === 'id' ? 900 : 'organization-900';
    return [
      { type: 'opportunity', id: 900, organization } as const,
      { type: 'opportunity', id: 'opportunity-900', organization } as const,
      { type: 'location', id: 900, organization } as const,
    ];
  }),
];

const VERSION = dialingVersion('US');
const DIALING = toDialingColumns('211', 'US');

/** A number that a phone of each type of owner dials. */
const NUMBER = { dial: `+1${2_000_000_000 + 900 * PHONES_PER_OWNER + 1}`, extension: null };

/** The ID of the first phone of owner 900 of a type. Phones are inserted by owner type, and then by owner. */
function firstPhoneId(type: PhoneOwner['type'], organizations: number): number {
  const before = ['organization', 'opportunity', 'location'].indexOf(type) * organizations + 899;
  return before * PHONES_PER_OWNER + 1;
}

function statements(organizations: number): Record<string, QueryConfig> {
  const all = OWNERS.flatMap((owner) => {
    const id = firstPhoneId(owner.type, organizations);
    const twice = <Lookup>(lookup: Lookup) => [lookup, lookup];
    const phone = { digits: '211', is_primary: true };
    return [
      ...[false, true].flatMap((includesDialing) => [
        listPhones(twice({ owner, includesDialing })),
        getPhones(twice({ owner, id, includesDialing })),
      ]),
      createPhone(owner, phone, DIALING),
      updatePhone(owner, id, phone, DIALING, ['"1.1"']),
      deletePhone(owner, id),
      findMissingPart(owner),
      lockOwner(owner),
    ];
  });
  // The plan of a statement does not contain what foreign keys and functions execute.
  const cascades = ['organization_id', 'opportunity_id', 'location_id'].map((column) => ({
    name: `delete phones by ${column}`,
    text: `DELETE FROM phones WHERE ${column} = $1`,
    values: [900],
  }));
  return Object.fromEntries(
    [
      ...all,
      ...cascades,
      searchPhones(NUMBER, VERSION, { skip: 0, take: 10 }),
      findOutdatedPhones('all', SMALL / 2, 'another'),
      findOutdatedPhones('never', 0, VERSION),
      recomputePhones([{ id: SMALL / 2, digits: '211', ...DIALING }], VERSION),
      {
        name: 'count phones of an owner',
        text: 'SELECT count(*) FROM (SELECT FROM phones WHERE owner_type = $1 AND owner_id = $2 LIMIT $3) AS first_phones',
        values: ['organization', 900, MAX_PHONES],
      },
      findClient(createHash('sha256').update('900').digest()),
      { name: 'find response', text: FIND_RESPONSE, values: ['anyone', '900'] },
      { name: 'save response', text: SAVE_RESPONSE, values: ['anyone', '900', Buffer.alloc(32), {}] },
    ].map((statement) => [statement.name ?? '', statement]),
  );
}

interface Node {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Actual Rows': number;
  'Total Cost': number;
  'Sort Space Type'?: string;
  Plans?: Node[];
}

/** Creates as many clients and idempotency records as organizations. */
const FILL_OTHER_TABLES = [
  `INSERT INTO clients (name, is_admin) SELECT 'Client', false FROM organizations`,
  `INSERT INTO client_organizations (client_id, organization_id) SELECT id, id FROM organizations`,
  `INSERT INTO api_keys (client_id, hash, prefix) SELECT id, sha256(id::text::bytea), 'phones_' FROM organizations`,
  `INSERT INTO idempotency_keys (caller, key, fingerprint, answer) SELECT 'anyone', id, '', '{}' FROM organizations`,
  'VACUUM ANALYZE',
];

/** Executes a statement as the service does, prepared, and rolls it back. @returns its plan */
async function explain({ text, values = [] }: QueryConfig): Promise<Node> {
  const client = await app.get(Pool).connect();
  const parameters = values.map((value) => toLiteral(client, value));
  try {
    await client.query('BEGIN');
    await client.query(`PREPARE explained AS ${text}`);
    const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Node }] }>(
      `EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE explained${parameters.length > 0 ? `(${parameters.join(', ')})` : ''}`,
    );
    const [row] = rows;
    if (row === undefined) throw new Error('EXPLAIN returned no plan.');
    return row['QUERY PLAN'][0].Plan;
  } finally {
    await client.query('ROLLBACK');
    // Closing the connection also drops the prepared statement.
    client.release(true);
  }
}

/** Formats a value as SQL, because EXPLAIN EXECUTE accepts no query parameters. */
function toLiteral(client: ClientBase, value: unknown): string {
  if (value === null) return 'NULL';
  if (Array.isArray(value)) return `ARRAY[${value.map((item) => toLiteral(client, item)).join(', ')}]`;
  if (Buffer.isBuffer(value)) return `'\\x${value.toString('hex')}'`;
  if (typeof value === 'number') return String(value);
  return client.escapeLiteral(typeof value === 'string' ? value : JSON.stringify(value));
}

function planOf(plans: Map<string, Node>, name: string): Node {
  const plan = plans.get(name);
  if (plan === undefined) throw new Error(`There is no plan of ${name}.`);
  return plan;
}

function nodesOf(plan: Node): Node[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
}

async function explainAll(phones: number): Promise<Map<string, Node>> {
  const organizations = Math.ceil(phones / PHONES_PER_ORGANIZATION);
  // The connections of the service have time limits.
  const client = new pg.Client(databaseSettings().DATABASE_URL);
  await client.connect();
  try {
    await client.query('TRUNCATE organizations, clients, idempotency_keys RESTART IDENTITY CASCADE');
    await fill(client, organizations);
    for (const statement of FILL_OTHER_TABLES) await client.query(statement);
  } finally {
    await client.end();
  }
  const plans = new Map<string, Node>();
  for (const [name, statement] of Object.entries(statements(organizations)))
    plans.set(name, await explain(statement));
  return plans;
}

// The embedded database plans like a server, but needs minutes to create a million phones.
describe.skipIf(SERVER === undefined)('With a million phones', () => {
  let small: Map<string, Node>;
  let large: Map<string, Node>;

  beforeAll(async () => {
    small = await explainAll(SMALL);
    large = await explainAll(LARGE);
  }, 1_200_000);

  const names = Object.keys(statements(0));

  it.each(names)('%s scans tables only by index and sorts in memory', (name) => {
    const nodes = nodesOf(planOf(large, name));
    const scans = nodes.filter((node) => node['Node Type'].includes('Scan') && node['Relation Name']);
    expect(scans.filter((node) => !/^Index( Only)? Scan$/.test(node['Node Type']))).toEqual([]);
    expect(nodes.filter((node) => node['Sort Space Type'] === 'Disk')).toEqual([]);
  });

  it.each(names)('%s costs hardly more than with a tenth of the phones', (name) => {
    const costs = [small, large].map((plans) => planOf(plans, name)['Total Cost']);
    expect(costs[1]).toBeLessThanOrEqual(MAX_GROWTH * (costs[0] ?? 0) + PAGE_COST);
  });

  it('search phones scans the index of numbers once, and finds each owner by its ID', () => {
    const plan = planOf(large, 'search phones');
    const indexes = nodesOf(plan).flatMap((node) => node['Index Name'] ?? []);
    expect(indexes.sort()).toEqual([
      'ix_phones_dial',
      'pk_locations',
      'pk_opportunities',
      'pk_organizations',
    ]);
    expect(plan['Actual Rows']).toBe(3);
  });
});

import { expect } from 'vitest';
import dataSource from '../../ormconfig.js';
import { request } from './api.js';
import type { Model, ModelResponse } from './model.js';
import { createOwner, type Phone } from './owners.js';
import { OWNERS, type Run } from './random-requests.js';

/** How many times each property is checked, each time with new owners. */
const RUNS = Number(process.env.MODEL_RUNS ?? 50);

/** How long a property may take, in milliseconds, including the time to shrink a failure. */
const TIME_LIMIT = 300_000 + 6000 * RUNS;

/** The parameters of fast-check. An interrupted run counts as a failure and reports the smallest one found so far. */
export const PARAMETERS = {
  numRuns: RUNS,
  interruptAfterTimeLimit: TIME_LIMIT,
  markInterruptAsFailure: true,
};

/** The options of a test that checks a property. The margin lets the current run end after the time limit. */
export const TEST_OPTIONS = { timeout: TIME_LIMIT + 60_000 };

/** Deletes the owners of the previous run and creates new ones. */
export async function startRun(): Promise<Run> {
  await dataSource.query('DELETE FROM organizations');
  const run: Run = { owners: new Map(), phoneIds: [] };
  for (const { name, type, organization } of OWNERS) {
    const organization_id = run.owners.get(organization)?.id;
    const path = await createOwner(type, organization_id);
    const { id, slug } = (await request<{ id: number; slug?: string }>('GET', path)).body;
    run.owners.set(name, { type, id, slug, organization_id, phones: [] });
  }
  return run;
}

/** Reduces a response to what the model predicts. */
export function observed({ status, body }: { status: number; body: unknown }): ModelResponse {
  if (status === 400) {
    const { errors = [] } = body as { errors?: { pointer: string }[] };
    return { status, fieldErrors: errors.map(({ pointer }) => pointer.slice(1)).sort() };
  }
  if (status > 400 || body === '' || body === undefined) return { status };
  return { status, body: body as Phone | Phone[] };
}

const usedIds = new Set<number>();

/**
 * Records the phone that a request created, and expects that its ID was never used before.
 *
 * @returns its ID; 0 if the request created none
 */
export function noteCreated(run: Run, { status, body }: ModelResponse): number {
  if (status !== 201) return 0;
  const { id } = body as Phone;
  expect(usedIds.has(id), `whether the ID ${id} was used before`).toBe(false);
  usedIds.add(id);
  run.phoneIds.push(id);
  return id;
}

/** Finds owners with more than one primary phone, and owners that do not exist but have phones. */
const RULE_VIOLATIONS = `
  SELECT phones.owner_type, phones.owner_id
  FROM phones
  LEFT JOIN organizations ON phones.owner_type = 'organization' AND phones.owner_id = organizations.id
  LEFT JOIN opportunities ON phones.owner_type = 'opportunity' AND phones.owner_id = opportunities.id
  LEFT JOIN locations ON phones.owner_type = 'location' AND phones.owner_id = locations.id
  GROUP BY phones.owner_type, phones.owner_id
  HAVING count(*) FILTER (WHERE phones.is_primary) > 1
    OR count(coalesce(organizations.id, opportunities.id, locations.id)) = 0`;

export async function expectRulesKept(): Promise<void> {
  expect(await dataSource.query(RULE_VIOLATIONS)).toEqual([]);
}

export async function expectSamePhones(model: Model): Promise<void> {
  const phones: unknown = await dataSource.query(
    'SELECT id, digits, phone_type, is_primary, owner_type, owner_id FROM phones ORDER BY id',
  );
  expect(phones).toEqual(model.phones());
}

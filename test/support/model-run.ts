import { expect } from 'vitest';
import dataSource from '../../ormconfig.js';
import { request } from './api.js';
import type { Model, ModelResponse } from './model.js';
import { createOwner, type Phone } from './owners.js';
import { OWNERS, type Run } from './random-requests.js';

/** How often each property is tried, each time with new owners. */
const RUNS = Number(process.env.MODEL_RUNS ?? 50);

/** How long a property may take, in milliseconds, with the time to find the smallest failure. */
const TIME_LIMIT = 60_000 + 500 * RUNS;

/** How fast-check tries a property. What is cut short has failed, and a failure is told with what was found by then. */
export const PARAMETERS = {
  numRuns: RUNS,
  interruptAfterTimeLimit: TIME_LIMIT,
  markInterruptAsFailure: true,
};

/** How long a test of a property may take, in milliseconds. The margin is for what is under way when it is cut short. */
export const TEST_OPTIONS = { timeout: TIME_LIMIT + 10_000 };

/** Deletes the owners of the run before and creates those of the next. */
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

/** What of an answer the model foresees. */
export function observed({ status, body }: { status: number; body: unknown }): ModelResponse {
  if (status === 400) {
    const { errors = [] } = body as { errors?: { pointer: string }[] };
    return { status, faults: errors.map(({ pointer }) => pointer.slice(1)).sort() };
  }
  if (status > 400 || body === '' || body === undefined) return { status };
  return { status, body: body as Phone | Phone[] };
}

const everyId = new Set<number>();

/**
 * Takes note of the phone that a request created, whose ID must never have been given before.
 *
 * @returns its ID, and 0 when the request created none
 */
export function noteCreated(run: Run, { status, body }: ModelResponse): number {
  if (status !== 201) return 0;
  const { id } = body as Phone;
  expect(everyId.has(id), `whether the ID ${id} was given before`).toBe(false);
  everyId.add(id);
  run.phoneIds.push(id);
  return id;
}

/** Owners with more than one primary number, and owners that are not there but have phones. */
const BROKEN_RULES = `
  SELECT phones.owner_type, phones.owner_id
  FROM phones
  LEFT JOIN organizations ON phones.owner_type = 'organization' AND phones.owner_id = organizations.id
  LEFT JOIN opportunities ON phones.owner_type = 'opportunity' AND phones.owner_id = opportunities.id
  LEFT JOIN locations ON phones.owner_type = 'location' AND phones.owner_id = locations.id
  GROUP BY phones.owner_type, phones.owner_id
  HAVING count(*) FILTER (WHERE phones.is_primary) > 1
    OR count(coalesce(organizations.id, opportunities.id, locations.id)) = 0`;

export async function expectRulesKept(): Promise<void> {
  expect(await dataSource.query(BROKEN_RULES)).toEqual([]);
}

export async function expectSamePhones(model: Model): Promise<void> {
  const phones: unknown = await dataSource.query(
    'SELECT id, digits, phone_type, is_primary, owner_type, owner_id FROM phones ORDER BY id',
  );
  expect(phones).toEqual(model.phones());
}

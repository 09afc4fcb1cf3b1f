import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { HttpClient } from './http-client.js';

interface Phone {
  id: number;
  digits: string;
  phone_type: string | null;
  is_primary: boolean;
}

interface Owner {
  /** The paths of the owner, by ID and by slug. */
  paths: string[];
  /** The phones that the service must have: the result of all acknowledged writes. */
  phones: Phone[];
}

interface Organization {
  path: string;
  /** The organization itself, one opportunity and one location. */
  owners: Owner[];
}

/** How many organizations each simulated client has. */
const ORGANIZATIONS = 5;

/** How many phones an owner has at the start, and on average. */
const PHONES_PER_OWNER = 2;

/** The average pause after each action, in milliseconds. */
const PAUSE = 100;

/** The actions of a client, with their share of a thousand. Nine of ten requests are reads. */
const ACTIONS: [share: number, action: (client: SimulatedClient) => Promise<void>][] = [
  [550, (client) => client.listPhones()],
  [240, (client) => client.getPhone()],
  [50, (client) => client.revalidateList()],
  [50, (client) => client.listOrganizations()],
  [30, (client) => client.sendInvalidRequest()],
  [45, (client) => client.createOrDeletePhone()],
  [25, (client) => client.updatePhone()],
  [8, (client) => client.makeTwoPhonesPrimaryAtOnce()],
  [2, (client) => client.replaceOrganization()],
];

/** Contains each action as often as its share says. */
const WEIGHTED_ACTIONS = ACTIONS.flatMap(([share, action]) => Array.from({ length: share }, () => action));

/**
 * A client of the service that runs one action after the other. No other client changes its organizations, so it knows
 * what each response must be.
 */
export class SimulatedClient {
  private organizations: Organization[] = [];

  constructor(private readonly http: HttpClient) {}

  async createOrganizations(): Promise<void> {
    while (this.organizations.length < ORGANIZATIONS) await this.createOrganization();
  }

  /**
   * Runs random actions until the signal aborts.
   *
   * @throws Error at the first unexpected response
   */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pick(WEIGHTED_ACTIONS)(this);
      await setTimeout(randomInt(2 * PAUSE));
    }
  }

  /** @throws Error if an acknowledged write is lost */
  async checkAllPhones(): Promise<void> {
    for (const owner of this.owners) await this.checkPhones(owner);
  }

  /** How many phones its owners must have. */
  get phoneCount(): number {
    return this.owners.reduce((sum, { phones }) => sum + phones.length, 0);
  }

  async listPhones(): Promise<void> {
    await this.checkPhones(pick(this.owners));
  }

  async getPhone(): Promise<void> {
    const { paths, phones } = pick(this.owners);
    if (phones.length === 0) return;
    const phone = pick(phones);
    const path = `${pick(paths)}/phones/${phone.id}`;
    expectSame(path, await this.http.send(200, 'GET', path), phone);
  }

  async revalidateList(): Promise<void> {
    const path = `${pick(pick(this.owners).paths)}/phones`;
    await this.http.send(304, 'GET', path, undefined, { 'if-none-match': '*' });
  }

  async listOrganizations(): Promise<void> {
    await this.http.send(200, 'GET', `/v1/organizations?page=${randomInt(1, 10)}`);
  }

  async sendInvalidRequest(): Promise<void> {
    const path = `${pick(pick(this.owners).paths)}/phones`;
    await pick([
      () => this.http.send(400, 'POST', path, { digits: 'call us', is_primary: 'yes' }),
      () => this.http.send(400, 'POST', path, '{"digits": '),
      () => this.http.send(401, 'POST', path, { digits: '211' }, { authorization: 'Bearer unknown' }),
      () => this.http.send(404, 'DELETE', `${path}/2147483647`),
      () => this.http.send(405, 'PATCH', path, {}),
      () => this.http.send(412, 'GET', path, undefined, { 'if-match': '"another"' }),
    ])();
  }

  async createOrDeletePhone(): Promise<void> {
    const owner = pick(this.owners);
    // The more phones the owner has, the more likely one is deleted.
    if (owner.phones.length < randomInt(1, 2 * PHONES_PER_OWNER + 1)) {
      await this.createPhone(owner);
    } else {
      const { id } = pick(owner.phones);
      await this.http.send(204, 'DELETE', `${pick(owner.paths)}/phones/${id}`);
      owner.phones = owner.phones.filter((phone) => phone.id !== id);
    }
  }

  async updatePhone(): Promise<void> {
    const { paths, phones } = pick(this.owners);
    if (phones.length === 0) return;
    const phone = pick(phones);
    const path = `${pick(paths)}/phones/${phone.id}`;
    Object.assign(phone, randomPhone());
    expectSame(path, await this.http.send(200, 'PUT', path, phone), phone);
  }

  async makeTwoPhonesPrimaryAtOnce(): Promise<void> {
    const owner = pick(this.owners);
    const [one, another] = owner.phones;
    if (one === undefined || another === undefined) return;
    const path = `${pick(owner.paths)}/phones`;
    await Promise.all(
      [one, another].map(({ id }) => this.http.send(200, 'PUT', `${path}/${id}`, { is_primary: true })),
    );
    const phones = await this.http.send<Phone[]>(200, 'GET', path);
    const last = phones.find(({ is_primary }) => is_primary)?.id === one.id ? one : another;
    for (const phone of owner.phones) phone.is_primary = phone === last;
    expectSame(path, phones, owner.phones);
  }

  async replaceOrganization(): Promise<void> {
    const organization = pick(this.organizations);
    await this.http.send(204, 'DELETE', organization.path);
    await this.http.send(404, 'GET', organization.path);
    this.organizations = this.organizations.filter((other) => other !== organization);
    await this.createOrganization();
  }

  private get owners(): Owner[] {
    return this.organizations.flatMap(({ owners }) => owners);
  }

  private async createOrganization(): Promise<void> {
    const create = (path: string, body: object) =>
      this.http.send<{ id: number; slug: string }>(201, 'POST', path, body);
    const { id, slug } = await create('/v1/organizations', { name: 'Harbor Food Bank' });
    const paths = [`/v1/organizations/${id}`, `/v1/organizations/${slug}`];
    const [path = ''] = paths;
    const opportunity = await create(`${path}/opportunities`, { title: 'Senior Lunch' });
    const location = await create(`${path}/locations`, { name: 'Pier Street Warehouse' });
    const owners: Owner[] = [
      { paths, phones: [] },
      {
        paths: paths.flatMap((path) => [
          `${path}/opportunities/${opportunity.id}`,
          `${path}/opportunities/${opportunity.slug}`,
        ]),
        phones: [],
      },
      { paths: paths.map((path) => `${path}/locations/${location.id}`), phones: [] },
    ];
    for (const owner of owners) {
      while (owner.phones.length < PHONES_PER_OWNER) await this.createPhone(owner);
    }
    this.organizations.push({ path, owners });
  }

  /** Every fourth time, sends the request twice with the same `Idempotency-Key`, as after a lost response. */
  private async createPhone({ paths, phones }: Owner): Promise<void> {
    const path = `${pick(paths)}/phones`;
    const body = randomPhone();
    const isRetried = randomInt(4) === 0;
    const headers = isRetried ? { 'idempotency-key': `"${randomUUID()}"` } : undefined;
    const created = await this.http.send<Phone>(201, 'POST', path, body, headers);
    const phone = { id: created.id, ...body, is_primary: phones.length === 0 };
    phones.push(phone);
    expectSame(path, created, phone);
    if (isRetried) expectSame(path, await this.http.send(201, 'POST', path, body, headers), phone);
  }

  private async checkPhones({ paths, phones }: Owner): Promise<void> {
    const path = `${pick(paths)}/phones`;
    expectSame(path, await this.http.send(200, 'GET', path), phones);
  }
}

function randomPhone(): Pick<Phone, 'digits' | 'phone_type'> {
  return {
    digits: `650-555-01${randomInt(10, 100)} x ${randomInt(1000)}`,
    phone_type: pick([null, 'Intake', 'Fax']),
  };
}

function pick<Item>(items: readonly Item[]): Item {
  return items[randomInt(items.length)] as Item;
}

function expectSame(path: string, actual: unknown, expected: unknown): void {
  if (isDeepStrictEqual(actual, expected)) return;
  const [actualJson, expectedJson] = [actual, expected].map((value) => JSON.stringify(value));
  throw new Error(`An acknowledged write is lost at ${path}: expected ${expectedJson}, got ${actualJson}`);
}

import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Client } from './client.js';

interface Phone {
  id: number;
  digits: string;
  phone_type: string | null;
  is_primary: boolean;
}

interface Owner {
  /** Its paths, by ID and by slug. */
  paths: string[];
  /** What the service must have: every write that was acknowledged, and nothing else. */
  phones: Phone[];
}

interface Organization {
  path: string;
  /** Itself, an opportunity and a location. */
  owners: Owner[];
}

/** How many organizations each caller has. */
const ORGANIZATIONS = 5;

/** How many phones an owner has at first, and on average. */
const PHONES = 2;

/** The average pause after each turn, in milliseconds. */
const PAUSE = 100;

/** What a caller does, and how often of a thousand turns. Nine of ten requests read. */
const TURNS: [number, (caller: Caller) => Promise<void>][] = [
  [550, (caller) => caller.listPhones()],
  [240, (caller) => caller.getPhone()],
  [50, (caller) => caller.askWhetherChanged()],
  [50, (caller) => caller.listOrganizations()],
  [30, (caller) => caller.sendWhatIsRefused()],
  [45, (caller) => caller.createOrDeletePhone()],
  [25, (caller) => caller.updatePhone()],
  [8, (caller) => caller.makeTwoPrimaryAtOnce()],
  [2, (caller) => caller.replaceOrganization()],
];

const DECK = TURNS.flatMap(([share, turn]) => Array.from({ length: share }, () => turn));

/**
 * Somebody who uses the service, one turn after the other. Nobody else changes the caller's organizations, so
 * every answer can be compared with what it must be.
 */
export class Caller {
  private organizations: Organization[] = [];

  constructor(private readonly client: Client) {}

  async createOrganizations(): Promise<void> {
    while (this.organizations.length < ORGANIZATIONS) await this.createOrganization();
  }

  /** @throws Error at the first answer that is not what it must be */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pick(DECK)(this);
      await setTimeout(randomInt(2 * PAUSE));
    }
  }

  /** @throws Error when a write that was acknowledged is lost */
  async checkAll(): Promise<void> {
    for (const owner of this.owners) await this.check(owner);
  }

  /** How many phones there must be. */
  get phones(): number {
    return this.owners.reduce((sum, { phones }) => sum + phones.length, 0);
  }

  async listPhones(): Promise<void> {
    await this.check(pick(this.owners));
  }

  async getPhone(): Promise<void> {
    const { paths, phones } = pick(this.owners);
    if (phones.length === 0) return;
    const phone = pick(phones);
    const path = `${pick(paths)}/phones/${phone.id}`;
    expectSame(path, await this.client.send(200, 'GET', path), phone);
  }

  async askWhetherChanged(): Promise<void> {
    const path = `${pick(pick(this.owners).paths)}/phones`;
    await this.client.send(304, 'GET', path, undefined, { 'if-none-match': '*' });
  }

  async listOrganizations(): Promise<void> {
    await this.client.send(200, 'GET', `/v1/organizations?page=${randomInt(1, 10)}`);
  }

  async sendWhatIsRefused(): Promise<void> {
    const path = `${pick(pick(this.owners).paths)}/phones`;
    await pick([
      () => this.client.send(400, 'POST', path, { digits: 'call us', is_primary: 'yes' }),
      () => this.client.send(400, 'POST', path, '{"digits": '),
      () => this.client.send(401, 'POST', path, { digits: '211' }, { authorization: 'Bearer unknown' }),
      () => this.client.send(404, 'DELETE', `${path}/2147483647`),
      () => this.client.send(405, 'PATCH', path, {}),
      () => this.client.send(412, 'GET', path, undefined, { 'if-match': '"another"' }),
    ])();
  }

  async createOrDeletePhone(): Promise<void> {
    const owner = pick(this.owners);
    // The more there are, the likelier one goes.
    if (owner.phones.length < randomInt(1, 2 * PHONES + 1)) {
      await this.createPhone(owner);
    } else {
      const { id } = pick(owner.phones);
      await this.client.send(204, 'DELETE', `${pick(owner.paths)}/phones/${id}`);
      owner.phones = owner.phones.filter((phone) => phone.id !== id);
    }
  }

  async updatePhone(): Promise<void> {
    const { paths, phones } = pick(this.owners);
    if (phones.length === 0) return;
    const phone = pick(phones);
    const path = `${pick(paths)}/phones/${phone.id}`;
    Object.assign(phone, newNumber());
    expectSame(path, await this.client.send(200, 'PUT', path, phone), phone);
  }

  async makeTwoPrimaryAtOnce(): Promise<void> {
    const owner = pick(this.owners);
    const [one, another] = owner.phones;
    if (one === undefined || another === undefined) return;
    const path = `${pick(owner.paths)}/phones`;
    await Promise.all(
      [one, another].map(({ id }) => this.client.send(200, 'PUT', `${path}/${id}`, { is_primary: true })),
    );
    const phones = await this.client.send<Phone[]>(200, 'GET', path);
    const last = phones.find(({ is_primary }) => is_primary)?.id === one.id ? one : another;
    for (const phone of owner.phones) phone.is_primary = phone === last;
    expectSame(path, phones, owner.phones);
  }

  async replaceOrganization(): Promise<void> {
    const organization = pick(this.organizations);
    await this.client.send(204, 'DELETE', organization.path);
    await this.client.send(404, 'GET', organization.path);
    this.organizations = this.organizations.filter((other) => other !== organization);
    await this.createOrganization();
  }

  private get owners(): Owner[] {
    return this.organizations.flatMap(({ owners }) => owners);
  }

  private async createOrganization(): Promise<void> {
    const create = (path: string, body: object) =>
      this.client.send<{ id: number; slug: string }>(201, 'POST', path, body);
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
      while (owner.phones.length < PHONES) await this.createPhone(owner);
    }
    this.organizations.push({ path, owners });
  }

  /** Every fourth time as a caller does who got no answer: once more, with the same Idempotency-Key. */
  private async createPhone({ paths, phones }: Owner): Promise<void> {
    const path = `${pick(paths)}/phones`;
    const body = newNumber();
    const isRepeated = randomInt(4) === 0;
    const headers = isRepeated ? { 'idempotency-key': `"${randomUUID()}"` } : undefined;
    const created = await this.client.send<Phone>(201, 'POST', path, body, headers);
    const phone = { id: created.id, ...body, is_primary: phones.length === 0 };
    phones.push(phone);
    expectSame(path, created, phone);
    if (isRepeated) expectSame(path, await this.client.send(201, 'POST', path, body, headers), phone);
  }

  private async check({ paths, phones }: Owner): Promise<void> {
    const path = `${pick(paths)}/phones`;
    expectSame(path, await this.client.send(200, 'GET', path), phones);
  }
}

function newNumber(): Pick<Phone, 'digits' | 'phone_type'> {
  return {
    digits: `650-555-01${randomInt(10, 100)} x ${randomInt(1000)}`,
    phone_type: pick([null, 'Intake', 'Fax']),
  };
}

function pick<Item>(items: readonly Item[]): Item {
  return items[randomInt(items.length)] as Item;
}

function expectSame(path: string, answered: unknown, acknowledged: unknown): void {
  if (isDeepStrictEqual(answered, acknowledged)) return;
  const [is, was] = [answered, acknowledged].map((value) => JSON.stringify(value));
  throw new Error(`An acknowledged write is lost at ${path}: it has ${is}, not ${was}`);
}

import { ConflictException, ForbiddenException, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { offsetOf, type Page, type PageQuery } from '../http/page.js';
import { FaultyRequestException, notFound } from '../http/problem.js';
import { GRANT_ORGANIZATIONS } from './access.statements.js';
import { createApiKey, hashOf, prefixOf } from './api-key.js';
import { ApiKey } from './api-key.entity.js';
import { AuthenticationService } from './authentication.service.js';
import type { Caller } from './caller.js';
import { Client } from './client.entity.js';
import { ClientOrganization } from './client-organization.entity.js';
import type { ApiKeyDto, CreateApiKeyDto, NewApiKeyDto } from './dto/api-key.dto.js';
import type { ClientDto, CreateClientDto, NewClientDto, UpdateClientDto } from './dto/client.dto.js';

/** How many keys of a client are good at once: one, and while it is replaced, its successor. */
const MAX_LIVE_KEYS = 2;

/**
 * Clients and their keys. One that is not there is a NotFoundException. What is changed holds in this process
 * at once, and in others as soon as they ask again.
 */
@Injectable()
export class ClientsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly authentication: AuthenticationService,
  ) {}

  async list(query: PageQuery): Promise<Page<ClientDto>> {
    const [clients, total] = await this.dataSource.manager.findAndCount(Client, {
      ...WITH_ALL,
      ...offsetOf(query),
    });
    return [clients.map(clientDto), total];
  }

  async get(id: number): Promise<ClientDto> {
    const client = await this.dataSource.manager.findOne(Client, { ...WITH_ALL, where: { id } });
    if (client === null) throw notFound('client');
    return clientDto(client);
  }

  /** @throws FaultyRequestException for an organization that is not there */
  create({ name, is_admin = false, organization_ids = [] }: CreateClientDto): Promise<NewClientDto> {
    return this.dataSource.transaction(async (manager) => {
      const { identifiers } = await manager.insert(Client, { name, is_admin });
      const { id } = identifiers[0] as { id: number };
      await grant(manager, id, organization_ids);
      const { key, ...apiKey } = await insertKey(manager, id);
      return { id, name, is_admin, organization_ids: inOrder(organization_ids), keys: [apiKey], key };
    });
  }

  /**
   * Changes the fields that are given and leaves the others.
   *
   * @throws ForbiddenException when a client would take its own right as an admin
   * @throws FaultyRequestException for an organization that is not there
   */
  async update(caller: Caller, id: number, changes: UpdateClientDto): Promise<ClientDto> {
    const { name, is_admin, organization_ids } = changes;
    if (is_admin === false && caller.client_id === id) {
      throw new ForbiddenException('A client cannot end its own right as an admin; another admin can.');
    }
    const client = await this.dataSource.transaction(async (manager) => {
      await lock(manager, id);
      if (name !== undefined || is_admin !== undefined)
        await manager.update(Client, { id }, { name, is_admin });
      if (organization_ids !== undefined) {
        await manager.delete(ClientOrganization, { client_id: id });
        await grant(manager, id, organization_ids);
      }
      return manager.findOneOrFail(Client, { ...WITH_ALL, where: { id } });
    });
    this.authentication.forget();
    return clientDto(client);
  }

  /**
   * Revokes a client with all its keys.
   *
   * @throws ForbiddenException when it is the client that asks
   */
  async delete(caller: Caller, id: number): Promise<void> {
    if (caller.client_id === id) {
      throw new ForbiddenException('A client cannot revoke itself; another admin can.');
    }
    const { affected } = await this.dataSource.manager.delete(Client, { id });
    if (affected === 0) throw notFound('client');
    this.authentication.forget();
  }

  /**
   * Makes another key of a client. Those that have expired go.
   *
   * @param expires_at when the key that the client has now ends; without it that does not change
   * @throws ConflictException when two of its keys are good already
   */
  async createKey(id: number, { expires_at }: CreateApiKeyDto): Promise<NewApiKeyDto> {
    const created = await this.dataSource.transaction(async (manager) => {
      await lock(manager, id);
      await manager
        .createQueryBuilder()
        .delete()
        .from(ApiKey)
        .where('client_id = :id AND expires_at <= now()', { id })
        .execute();
      const live = await manager.countBy(ApiKey, { client_id: id });
      if (live >= MAX_LIVE_KEYS) {
        throw new ConflictException('The client has two keys already; delete one of them first.');
      }
      if (expires_at !== undefined) await manager.update(ApiKey, { client_id: id }, { expires_at });
      return insertKey(manager, id);
    });
    this.authentication.forget();
    return created;
  }

  /**
   * Ends a key.
   *
   * @throws ForbiddenException when it is the key that the request came with
   */
  async deleteKey(caller: Caller, clientId: number, id: number): Promise<void> {
    if (caller.key_id === id && caller.client_id === clientId) {
      throw new ForbiddenException('A key cannot end itself; another key of the client can, or an admin.');
    }
    const { affected } = await this.dataSource.manager.delete(ApiKey, { id, client_id: clientId });
    if (affected === 0) throw notFound('key');
    this.authentication.forget();
  }
}

const WITH_ALL = {
  // Joined, every organization of a client would come with every key of it.
  relationLoadStrategy: 'query',
  relations: { organizations: true, keys: true },
  order: { id: 'ASC' },
} as const;

function clientDto({ id, name, is_admin, organizations, keys }: Client): ClientDto {
  return {
    id,
    name,
    is_admin,
    organization_ids: inOrder(organizations.map(({ organization_id }) => organization_id)),
    keys: keys.toSorted((a, b) => a.id - b.id).map(apiKeyDto),
  };
}

function apiKeyDto({ id, prefix, created_at, last_used_at, expires_at }: ApiKey): ApiKeyDto {
  return { id, prefix, created_at, last_used_at, expires_at };
}

/** Holds a client until the transaction ends, so that changes to it and its keys come one after the other. */
async function lock(manager: EntityManager, id: number): Promise<void> {
  const client = await manager.findOne(Client, { where: { id }, lock: { mode: 'pessimistic_write' } });
  if (client === null) throw notFound('client');
}

async function grant(manager: EntityManager, clientId: number, organizationIds: number[]): Promise<void> {
  const granted = await manager.query<{ organization_id: number }[]>(GRANT_ORGANIZATIONS, [
    clientId,
    organizationIds,
  ]);
  const existing = new Set(granted.map(({ organization_id }) => organization_id));
  const faults = organizationIds.flatMap((id, index) =>
    existing.has(id)
      ? []
      : [{ pointer: `/organization_ids/${index}`, detail: 'is not the ID of an organization' }],
  );
  if (faults.length > 0) throw new FaultyRequestException('body', faults);
}

async function insertKey(manager: EntityManager, clientId: number): Promise<NewApiKeyDto> {
  const key = createApiKey();
  const { id, prefix, created_at } = await manager.save(ApiKey, {
    client_id: clientId,
    hash: hashOf(key),
    prefix: prefixOf(key),
  });
  return { id, prefix, created_at, last_used_at: null, expires_at: null, key };
}

function inOrder(ids: number[]): number[] {
  return ids.toSorted((a, b) => a - b);
}

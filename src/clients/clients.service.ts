import { ConflictException, ForbiddenException, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, IsNull } from 'typeorm';
import { toSkipAndTake, type Page, type PageQuery } from '../common/pagination.js';
import { retryOnConflict } from '../database/retry-on-conflict.js';
import { ValidationException, notFound, UnauthenticatedException } from '../common/problem-details.js';
import {
  DELETE_EXPIRED_KEYS,
  EXPIRE_KEYS,
  GRANT_ORGANIZATIONS,
  IS_STILL_ADMIN,
  LOCK_CLIENTS,
} from './clients.queries.js';
import { createApiKey, hashOf, prefixOf } from '../auth/api-key.js';
import { ApiKey } from './api-key.entity.js';
import { AuthenticationService } from '../auth/authentication.service.js';
import type { AuthenticatedClient } from '../auth/authenticated-client.js';
import { Client } from './client.entity.js';
import { ClientOrganization } from './client-organization.entity.js';
import type { ApiKeyDto, CreateApiKeyDto, NewApiKeyDto } from './dto/api-key.dto.js';
import type { ClientDto, CreateClientDto, NewClientDto, UpdateClientDto } from './dto/client.dto.js';

/** How many keys of a client are good at once: one, and while it is replaced, its successor. */
const MAX_LIVE_KEYS = 2;

/**
 * Clients and their keys. One that is not there is a NotFoundException. A change is made only by somebody who is
 * an admin at that very moment, not just by what is cached of them, and holds in this process at once.
 */
@Injectable()
export class ClientsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly authentication: AuthenticationService,
  ) {}

  async list(query: PageQuery): Promise<Page<ClientDto>> {
    const [clients, total] = await this.dataSource.manager.findAndCount(Client, {
      ...WITH_RELATIONS,
      ...toSkipAndTake(query),
    });
    return [clients.map(toClientDto), total];
  }

  get(id: number): Promise<ClientDto> {
    return getClient(this.dataSource.manager, id);
  }

  /** @throws ValidationException for an organization that is not there */
  create(
    caller: AuthenticatedClient,
    { name, is_admin = false, organization_ids = [] }: CreateClientDto,
  ): Promise<NewClientDto> {
    return this.change(caller, async (manager) => {
      const { identifiers } = await manager.insert(Client, { name, is_admin });
      const { id } = identifiers[0] as { id: number };
      await grantOrganizations(manager, id, organization_ids);
      const { key } = await insertKey(manager, id);
      return Object.assign(await getClient(manager, id), { key });
    });
  }

  /**
   * Changes the fields that are given and leaves the others.
   *
   * @throws ForbiddenException when a client would take its own right as an admin
   * @throws ValidationException for an organization that is not there
   */
  update(caller: AuthenticatedClient, id: number, changes: UpdateClientDto): Promise<ClientDto> {
    const { name, is_admin, organization_ids } = changes;
    if (is_admin === false && caller.client_id === id) {
      throw new ForbiddenException('A client cannot end its own right as an admin; another admin can.');
    }
    return this.change(caller, async (manager) => {
      await checkClientExists(manager, id);
      if (name !== undefined || is_admin !== undefined) await manager.update(Client, id, { name, is_admin });
      if (organization_ids !== undefined) {
        await manager.delete(ClientOrganization, { client_id: id });
        await grantOrganizations(manager, id, organization_ids);
      }
      return getClient(manager, id);
    });
  }

  /**
   * Revokes a client with all its keys.
   *
   * @throws ForbiddenException when it is the client that asks
   */
  delete(caller: AuthenticatedClient, id: number): Promise<void> {
    if (caller.client_id === id) {
      throw new ForbiddenException('A client cannot revoke itself; another admin can.');
    }
    return this.change(caller, async (manager) => {
      const { affected } = await manager.delete(Client, { id });
      if (affected === 0) throw notFound('client');
    });
  }

  /**
   * Makes another key of a client, which does not end by itself. Keys that have expired go.
   *
   * @param expires_at when the key that the client has now ends, if it does not end before; absent: it stays as it is
   * @throws ConflictException when two of its keys are good already
   */
  createKey(caller: AuthenticatedClient, id: number, { expires_at }: CreateApiKeyDto): Promise<NewApiKeyDto> {
    return this.change(caller, async (manager) => {
      await checkClientExists(manager, id);
      await manager.query(DELETE_EXPIRED_KEYS, [id]);
      if ((await manager.countBy(ApiKey, { client_id: id })) >= MAX_LIVE_KEYS) {
        throw new ConflictException('The client has two keys already; delete one of them first.');
      }
      if (expires_at !== undefined) await manager.query(EXPIRE_KEYS, [id, expires_at]);
      return insertKey(manager, id);
    });
  }

  /**
   * Ends a key.
   *
   * @throws ForbiddenException when it is the last key of the client that asks, but for one that ends by itself
   */
  deleteKey(caller: AuthenticatedClient, clientId: number, id: number): Promise<void> {
    return this.change(caller, async (manager) => {
      const { affected } = await manager.delete(ApiKey, { id, client_id: clientId });
      if (affected === 0) throw notFound('key');
      const isOwn = caller.client_id === clientId;
      if (isOwn && !(await manager.existsBy(ApiKey, { client_id: clientId, expires_at: IsNull() }))) {
        throw new ForbiddenException('A client cannot end its last key; another admin can.');
      }
    });
  }

  /**
   * Makes a change whole or not at all. Changes come one after the other: of two admins who revoke each other
   * at once, one stays.
   *
   * @throws UnauthenticatedException when the key of the caller has just ended
   * @throws ForbiddenException when the client of the caller is no admin any more
   */
  private async change<Result>(
    { key_id }: AuthenticatedClient,
    work: (manager: EntityManager) => Promise<Result>,
  ): Promise<Result> {
    const result = await retryOnConflict(() =>
      this.dataSource.transaction(async (manager) => {
        await manager.query(LOCK_CLIENTS);
        if (key_id !== undefined) await checkStillAdmin(manager, key_id);
        return work(manager);
      }),
    );
    this.authentication.invalidateCache();
    return result;
  }
}

async function checkStillAdmin(manager: EntityManager, keyId: number): Promise<void> {
  const [row] = await manager.query<{ is_admin: boolean }[]>(IS_STILL_ADMIN, [keyId]);
  if (row === undefined) throw new UnauthenticatedException('The API key has just ended.', 'invalid_token');
  if (!row.is_admin) throw new ForbiddenException('The client of this key is no admin any more.');
}

async function getClient(manager: EntityManager, id: number): Promise<ClientDto> {
  const client = await manager.findOne(Client, { ...WITH_RELATIONS, where: { id } });
  if (client === null) throw notFound('client');
  return toClientDto(client);
}

async function checkClientExists(manager: EntityManager, id: number): Promise<void> {
  if (!(await manager.existsBy(Client, { id }))) throw notFound('client');
}

const WITH_RELATIONS = {
  // Joined, every organization of a client would come with every key of it.
  relationLoadStrategy: 'query',
  relations: { organizations: true, keys: true },
  order: { id: 'ASC' },
} as const;

function toClientDto({ id, name, is_admin, organizations, keys }: Client): ClientDto {
  return {
    id,
    name,
    is_admin,
    organization_ids: organizations.map(({ organization_id }) => organization_id).toSorted((a, b) => a - b),
    keys: keys.toSorted((a, b) => a.id - b.id).map(toApiKeyDto),
  };
}

function toApiKeyDto({ id, prefix, created_at, last_used_at, expires_at }: ApiKey): ApiKeyDto {
  return { id, prefix, created_at, last_used_at, expires_at };
}

async function grantOrganizations(
  manager: EntityManager,
  clientId: number,
  organizationIds: number[],
): Promise<void> {
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
  if (faults.length > 0) throw new ValidationException('body', faults);
}

async function insertKey(manager: EntityManager, clientId: number): Promise<NewApiKeyDto> {
  const key = createApiKey();
  const hash = hashOf(key);
  await manager.insert(ApiKey, { client_id: clientId, hash, prefix: prefixOf(key) });
  return Object.assign(toApiKeyDto(await manager.findOneByOrFail(ApiKey, { hash })), { key });
}

import { ConflictException, ForbiddenException, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, IsNull } from 'typeorm';
import { toSkipAndTake, type Page, type PageQuery } from '../common/pagination.js';
import { retryInNewSession, retryOnConflict } from '../database/retry-on-conflict.js';
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
import { SecurityLog } from '../auth/security-log.js';
import type { AuthenticatedClient } from '../auth/authenticated-client.js';
import { Client } from './client.entity.js';
import { ClientOrganization } from './client-organization.entity.js';
import type { ApiKeyDto, CreateApiKeyDto, NewApiKeyDto } from './dto/api-key.dto.js';
import type { ClientDto, CreateClientDto, NewClientDto, UpdateClientDto } from './dto/client.dto.js';

/** The number of keys of a client that have not expired: one, and its successor while it is being replaced. */
const MAX_KEYS = 2;

/**
 * The rules of clients and their keys. Whoever makes a change must still be an admin in the database, not only in the
 * cache. A change takes effect in this process at once. Methods throw a NotFoundException if the client or key does not
 * exist.
 */
@Injectable()
export class ClientsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly authentication: AuthenticationService,
    private readonly securityLog: SecurityLog,
  ) {}

  async list(query: PageQuery): Promise<Page<ClientDto>> {
    const [clients, total] = await retryInNewSession(() =>
      this.dataSource.manager.findAndCount(Client, { ...WITH_RELATIONS, ...toSkipAndTake(query) }),
    );
    return [clients.map(toClientDto), total];
  }

  get(id: number): Promise<ClientDto> {
    return retryInNewSession(() => getClient(this.dataSource.manager, id));
  }

  /** @throws ValidationException for an organization that does not exist */
  async create(
    admin: AuthenticatedClient,
    { name, is_admin = false, organization_ids = [] }: CreateClientDto,
  ): Promise<NewClientDto> {
    const client = await this.executeAsAdmin(admin, async (manager) => {
      const { identifiers } = await manager.insert(Client, { name, is_admin });
      const { id } = identifiers[0] as { id: number };
      await grantOrganizations(manager, id, organization_ids);
      const { key } = await insertKey(manager, id);
      return Object.assign(await getClient(manager, id), { key });
    });
    this.securityLog.logChange('Client created', admin, {
      client_id: client.id,
      key_prefix: prefixOf(client.key),
    });
    return client;
  }

  /**
   * Changes the fields that are present, and leaves the others as they are.
   *
   * @throws ForbiddenException when a client would revoke its own admin permission
   * @throws ValidationException for an organization that does not exist
   */
  async update(admin: AuthenticatedClient, id: number, changes: UpdateClientDto): Promise<ClientDto> {
    const { name, is_admin, organization_ids } = changes;
    if (is_admin === false && admin.client_id === id) {
      throw new ForbiddenException('A client cannot revoke its own admin permission; another admin can.');
    }
    const client = await this.executeAsAdmin(admin, async (manager) => {
      await checkClientExists(manager, id);
      if (name !== undefined || is_admin !== undefined) await manager.update(Client, id, { name, is_admin });
      if (organization_ids !== undefined) {
        await manager.delete(ClientOrganization, { client_id: id });
        await grantOrganizations(manager, id, organization_ids);
      }
      return getClient(manager, id);
    });
    this.securityLog.logChange('Client updated', admin, { client_id: id });
    return client;
  }

  /**
   * Deletes a client and all of its keys.
   *
   * @throws ForbiddenException when a client would delete itself
   */
  async delete(admin: AuthenticatedClient, id: number): Promise<void> {
    if (admin.client_id === id) {
      throw new ForbiddenException('A client cannot delete itself; another admin can.');
    }
    await this.executeAsAdmin(admin, async (manager) => {
      const { affected } = await manager.delete(Client, { id });
      if (affected === 0) throw notFound('client');
    });
    this.securityLog.logChange('Client deleted', admin, { client_id: id });
  }

  /**
   * Creates another key for a client, which does not expire, and deletes expired keys.
   *
   * @param expires_at when the present key of the client expires, unless it expires earlier
   * @throws ConflictException when the client already has two keys
   */
  async createKey(
    admin: AuthenticatedClient,
    id: number,
    { expires_at }: CreateApiKeyDto,
  ): Promise<NewApiKeyDto> {
    const key = await this.executeAsAdmin(admin, async (manager) => {
      await checkClientExists(manager, id);
      await manager.query(DELETE_EXPIRED_KEYS, [id]);
      if ((await manager.countBy(ApiKey, { client_id: id })) >= MAX_KEYS) {
        throw new ConflictException('The client already has two keys; delete one of them first.');
      }
      if (expires_at !== undefined) await manager.query(EXPIRE_KEYS, [id, expires_at]);
      return insertKey(manager, id);
    });
    this.securityLog.logChange('Key created', admin, { client_id: id, key_prefix: key.prefix });
    return key;
  }

  /**
   * Revokes a key.
   *
   * @throws ForbiddenException when a client would revoke its own last key that does not expire
   */
  async deleteKey(admin: AuthenticatedClient, clientId: number, id: number): Promise<void> {
    const key_prefix = await this.executeAsAdmin(admin, async (manager) => {
      await checkClientExists(manager, clientId);
      const key = await manager.findOneBy(ApiKey, { id, client_id: clientId });
      if (key === null) throw notFound('key');
      await manager.delete(ApiKey, { id });
      const isOwnKey = admin.client_id === clientId;
      if (isOwnKey && !(await manager.existsBy(ApiKey, { client_id: clientId, expires_at: IsNull() }))) {
        throw new ForbiddenException('A client cannot revoke its own last key; another admin can.');
      }
      return key.prefix;
    });
    this.securityLog.logChange('Key revoked', admin, { client_id: clientId, key_prefix });
  }

  /**
   * Makes a change in a transaction. Changes run one after another: if two admins delete each other at the same time,
   * one remains.
   *
   * @throws UnauthenticatedException when the key of the admin has just expired or been revoked
   * @throws ForbiddenException when the client is no longer an admin
   */
  private async executeAsAdmin<Result>(
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
  if (row === undefined)
    throw new UnauthenticatedException('The API key has just expired or been revoked.', 'invalid_token');
  if (!row.is_admin) throw new ForbiddenException('The client of this API key is no longer an admin.');
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
  // A join would return every combination of an organization and a key.
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
  const errors = organizationIds.flatMap((id, index) =>
    existing.has(id)
      ? []
      : [{ pointer: `/organization_ids/${index}`, detail: 'is not the ID of an organization' }],
  );
  if (errors.length > 0) throw new ValidationException('body', errors);
}

async function insertKey(manager: EntityManager, clientId: number): Promise<NewApiKeyDto> {
  const key = createApiKey();
  const hash = hashOf(key);
  await manager.insert(ApiKey, { client_id: clientId, hash, prefix: prefixOf(key) });
  return Object.assign(toApiKeyDto(await manager.findOneByOrFail(ApiKey, { hash })), { key });
}

import { Body, Controller, Delete, Get, Header, HttpCode, Post, Put, Query, Res } from '@nestjs/common';
import {
  ApiBody,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ApiLinkHeader, ApiLocationHeader, ApiProblems } from '../common/api-responses.js';
import { PageQuery, setLinkHeader } from '../common/pagination.js';
import { ApiClientId, ApiKeyId, ClientId, KeyId } from '../common/path-params.js';
import { RequestValidationPipe } from '../common/request-validation.pipe.js';
import { AdminsOnly, CurrentClient, RequireApiKey } from '../auth/auth.decorators.js';
import type { AuthenticatedClient } from '../auth/authenticated-client.js';
import { ClientsService } from './clients.service.js';
import { CreateApiKeyDto, NewApiKeyDto } from './dto/api-key.dto.js';
import { ClientDto, CreateClientDto, NewClientDto, UpdateClientDto } from './dto/client.dto.js';

@ApiTags('Clients')
@AdminsOnly()
@RequireApiKey()
@Controller({ path: 'clients', version: '1' })
export class ClientsController {
  constructor(private readonly clients: ClientsService) {}

  @Get()
  @ApiOperation({ summary: 'List the clients', description: 'By ascending ID, a page at a time.' })
  @ApiOkResponse({ type: [ClientDto], description: 'The page.', headers: ApiLinkHeader })
  @ApiProblems(503)
  async listClients(
    @Query(RequestValidationPipe) query: PageQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ClientDto[]> {
    return setLinkHeader(reply, query, await this.clients.list(query));
  }

  @Post()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    summary: 'Create a client',
    description: 'With its first key, which is in this answer and nowhere else.',
  })
  @ApiCreatedResponse({ type: NewClientDto, description: 'The new client.', headers: ApiLocationHeader })
  @ApiProblems(404, 413, 415, 503)
  createClient(
    @CurrentClient() caller: AuthenticatedClient,
    @Body(RequestValidationPipe) client: CreateClientDto,
  ): Promise<NewClientDto> {
    return this.clients.create(caller, client);
  }

  @Get(':id')
  @ApiClientId()
  @ApiOperation({ summary: 'Get a client' })
  @ApiOkResponse({ type: ClientDto, description: 'The client.' })
  @ApiProblems(404, 503)
  getClient(@ClientId() id: number): Promise<ClientDto> {
    return this.clients.get(id);
  }

  @Put(':id')
  @ApiClientId()
  @ApiOperation({
    summary: 'Change a client',
    description:
      'Changes the fields that the body names and leaves the others. A client cannot end its own right as an admin.',
  })
  @ApiOkResponse({ type: ClientDto, description: 'The client as it is now.' })
  @ApiProblems(404, 413, 415, 503)
  updateClient(
    @CurrentClient() caller: AuthenticatedClient,
    @ClientId() id: number,
    @Body(RequestValidationPipe) changes: UpdateClientDto,
  ): Promise<ClientDto> {
    return this.clients.update(caller, id, changes);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiClientId()
  @ApiOperation({
    summary: 'Revoke a client',
    description: 'With all its keys. A client cannot revoke itself.',
  })
  @ApiNoContentResponse({ description: 'The client is gone; its keys end within five seconds.' })
  @ApiProblems(404, 413, 415, 503)
  deleteClient(@CurrentClient() caller: AuthenticatedClient, @ClientId() id: number): Promise<void> {
    return this.clients.delete(caller, id);
  }

  @Post(':id/keys')
  @Header('Cache-Control', 'no-store')
  @ApiClientId()
  @ApiOperation({
    summary: 'Make a second key of a client',
    description:
      'To replace a key without an outage: make the new one, change over to it, and delete the old one, ' +
      'or let it end at `expires_at`.',
  })
  @ApiBody({ type: CreateApiKeyDto, required: false })
  @ApiCreatedResponse({ type: NewApiKeyDto, description: 'The new key.' })
  @ApiProblems(404, 409, 413, 415, 503)
  createClientKey(
    @CurrentClient() caller: AuthenticatedClient,
    @ClientId() id: number,
    @Body(RequestValidationPipe) body: CreateApiKeyDto,
  ): Promise<NewApiKeyDto> {
    return this.clients.createKey(caller, id, body);
  }

  @Delete(':id/keys/:key_id')
  @HttpCode(204)
  @ApiClientId()
  @ApiKeyId()
  @ApiOperation({
    summary: 'End a key of a client',
    description:
      'A client that has none left is locked out until it is given one. A client cannot end its own last key.',
  })
  @ApiNoContentResponse({ description: 'The key ends within five seconds.' })
  @ApiProblems(404, 413, 415, 503)
  deleteClientKey(
    @CurrentClient() caller: AuthenticatedClient,
    @ClientId() id: number,
    @KeyId() keyId: number,
  ): Promise<void> {
    return this.clients.deleteKey(caller, id, keyId);
  }
}

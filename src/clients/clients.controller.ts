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
import { LINK_HEADER, LOCATION_HEADER, ApiProblems } from '../common/api-responses.js';
import { PageQuery, setLinkHeader } from '../common/pagination.js';
import { ApiClientId, ApiClientKeyId, ClientId, ClientKeyId } from '../common/path-params.js';
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
  @ApiOkResponse({ type: [ClientDto], description: 'The page.', headers: LINK_HEADER })
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
    description: 'The response contains its first key, which is shown only once.',
  })
  @ApiCreatedResponse({ type: NewClientDto, description: 'The new client.', headers: LOCATION_HEADER })
  @ApiProblems(404, 413, 415, 503)
  createClient(
    @CurrentClient() admin: AuthenticatedClient,
    @Body(RequestValidationPipe) client: CreateClientDto,
  ): Promise<NewClientDto> {
    return this.clients.create(admin, client);
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
    summary: 'Update a client',
    description:
      'Changes the fields in the body and leaves the others. A client cannot revoke its own admin permission.',
  })
  @ApiOkResponse({ type: ClientDto, description: 'The updated client.' })
  @ApiProblems(404, 413, 415, 503)
  updateClient(
    @CurrentClient() admin: AuthenticatedClient,
    @ClientId() id: number,
    @Body(RequestValidationPipe) changes: UpdateClientDto,
  ): Promise<ClientDto> {
    return this.clients.update(admin, id, changes);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiClientId()
  @ApiOperation({
    summary: 'Delete a client',
    description: 'Revokes all of its keys. A client cannot delete itself.',
  })
  @ApiNoContentResponse({ description: 'The client was deleted; its keys are rejected within five seconds.' })
  @ApiProblems(404, 413, 415, 503)
  deleteClient(@CurrentClient() admin: AuthenticatedClient, @ClientId() id: number): Promise<void> {
    return this.clients.delete(admin, id);
  }

  @Post(':id/keys')
  @Header('Cache-Control', 'no-store')
  @ApiClientId()
  @ApiOperation({
    summary: 'Create a second key for a client',
    description:
      'To replace a key without an outage: create the new key, switch to it, and delete the old one, ' +
      'or let it expire at `expires_at`.',
  })
  @ApiBody({ type: CreateApiKeyDto, required: false })
  @ApiCreatedResponse({ type: NewApiKeyDto, description: 'The new key.' })
  @ApiProblems(404, 409, 413, 415, 503)
  createClientKey(
    @CurrentClient() admin: AuthenticatedClient,
    @ClientId() id: number,
    @Body(RequestValidationPipe) body: CreateApiKeyDto,
  ): Promise<NewApiKeyDto> {
    return this.clients.createKey(admin, id, body);
  }

  @Delete(':id/keys/:key_id')
  @HttpCode(204)
  @ApiClientId()
  @ApiClientKeyId()
  @ApiOperation({
    summary: 'Revoke a key of a client',
    description:
      'A client without a key is locked out until an admin creates one. A client cannot revoke its own last key.',
  })
  @ApiNoContentResponse({ description: 'The key was revoked; it is rejected within five seconds.' })
  @ApiProblems(404, 413, 415, 503)
  deleteClientKey(
    @CurrentClient() admin: AuthenticatedClient,
    @ClientId() id: number,
    @ClientKeyId() keyId: number,
  ): Promise<void> {
    return this.clients.deleteKey(admin, id, keyId);
  }
}

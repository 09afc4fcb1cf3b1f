import { expect } from 'vitest';
import { AS_ADMIN, request } from './api.js';

export interface ApiKey {
  id: number;
  prefix: string;
  created_at: string;
  last_used_at: string | null;
  expires_at: string | null;
}

export interface Client {
  id: number;
  name: string;
  is_admin: boolean;
  organization_ids: number[];
  keys: ApiKey[];
}

/** Creates a client, by default without any permission. @returns it with its API key */
export async function createClient(client: Partial<Client> = {}): Promise<Client & { key: string }> {
  const body = { name: 'Intake desk', ...client };
  const response = await request<Client & { key: string }>('POST', '/v1/clients', body, AS_ADMIN);
  expect(response).toMatchObject({ status: 201 });
  return response.body;
}

export async function getClient(id: number): Promise<Client> {
  return (await request<Client>('GET', `/v1/clients/${id}`, undefined, AS_ADMIN)).body;
}

export async function deleteClient(id: number): Promise<void> {
  expect(await request('DELETE', `/v1/clients/${id}`, undefined, AS_ADMIN)).toMatchObject({ status: 204 });
}

import type { OutgoingHttpHeaders } from 'node:http';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, expect } from 'vitest';
import type { Environment } from '../../src/config/environment.js';
import { createApp } from '../../src/create-app.js';
import { ADMIN_API_KEY, keyHeader, setEnvironment } from './database.js';

export interface ApiResponse<Body = unknown> {
  status: number;
  headers: OutgoingHttpHeaders;
  body: Body;
}

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';

/** The application of this test file, created by the same function as in production. */
export let app: NestFastifyApplication;

beforeAll(start);

afterAll(() => app.close());

async function start(): Promise<void> {
  app = await createApp();
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
}

/** Restarts the application on the same database, with these settings and otherwise the defaults. */
export async function restart(settings: Partial<Record<keyof Environment, string>>): Promise<void> {
  await app.close();
  setEnvironment(settings);
  await start();
}

/** The credentials of an administrator, who has every permission. */
export const AS_ADMIN = keyHeader(ADMIN_API_KEY);

/** Sends a request; a body that is not a string is sent as JSON. */
export async function request<Body>(
  method: Method,
  url: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<ApiResponse<Body>> {
  const response = await app.inject({
    method,
    url,
    headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const isJson = String(response.headers['content-type']).includes('json') && response.body !== '';
  return {
    status: response.statusCode,
    headers: response.headers,
    body: (isJson ? response.json() : response.body) as Body,
  };
}

/** Expects a complete problem details response (RFC 9457). */
export function expectProblem(
  response: ApiResponse,
  status: number,
  detail: unknown = expect.any(String),
): void {
  expect(response).toMatchObject({
    status,
    headers: { 'content-type': expect.stringMatching(/^application\/problem\+json/) as string },
    body: { type: 'about:blank', title: expect.any(String) as string, status, detail },
  });
}

interface FieldError {
  pointer?: string;
  parameter?: string;
  detail?: string;
}

/** Expects a 400 with exactly these field errors, in any order. */
export function expectFieldErrors(response: ApiResponse, ...expected: FieldError[]): void {
  expectProblem(response, 400);
  const byPointer = (a: FieldError, b: FieldError) => String(a.pointer).localeCompare(String(b.pointer));
  const { errors = [] } = response.body as { errors?: FieldError[] };
  expect(errors.sort(byPointer)).toMatchObject([...expected].sort(byPointer));
}

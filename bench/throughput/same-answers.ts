import type { LoadRequest } from './operations.js';

/** A program that is compared. */
export interface Answering {
  name: string;
  origin: string;
}

/** What must be refused alike. Only the status is compared: how a refusal is put is each program's own. */
const REFUSED: LoadRequest[] = [
  { method: 'GET', path: '/v1/organizations/2000000000/phones' },
  { method: 'GET', path: '/v1/organizations/nobody/phones' },
  { method: 'GET', path: '/v1/organizations/1/opportunities/2/phones' },
  { method: 'GET', path: '/v1/organizations/1/locations/2/phones' },
  { method: 'GET', path: '/v1/organizations/1/phones/4' },
  { method: 'GET', path: '/v1/organizations/1/phones/x' },
  { method: 'POST', path: '/v1/organizations/2000000000/phones', body: '{"digits":"211"}' },
  { method: 'POST', path: '/v1/organizations/1/phones', body: '{"digits":"call us"}' },
  { method: 'POST', path: '/v1/organizations/1/phones', body: '{"digits":211}' },
  { method: 'POST', path: '/v1/organizations/1/phones', body: '{"digits":"211","number":"211"}' },
  { method: 'PUT', path: '/v1/organizations/1/phones/4', body: '{"digits":"211"}' },
  { method: 'PUT', path: '/v1/organizations/1/phones/1', body: '{"is_primary":"true"}' },
];

/**
 * Sends each request to every program, one after the other.
 *
 * @param requests what must be answered with success, with the same status and body
 * @throws Error that says which answers differ
 */
export async function checkSameAnswers(programs: Answering[], requests: LoadRequest[]): Promise<void> {
  for (const request of [...requests, ...REFUSED]) {
    const answers = await Promise.all(programs.map(({ origin }) => answer(origin, request)));
    const isRefused = REFUSED.includes(request);
    const isRight = answers.every((text) => text === answers[0] && text.startsWith(isRefused ? '4' : '2'));
    if (isRight) continue;
    const differences = programs.map(({ name }, index) => `\n  ${name}: ${answers[index]}`).join('');
    throw new Error(`${request.method} ${request.path} ${request.body ?? ''} is answered${differences}`);
  }
}

async function answer(origin: string, { method, path, body }: LoadRequest): Promise<string> {
  const response = await fetch(origin + path, {
    method,
    ...(body !== undefined && { body, headers: { 'Content-Type': 'application/json' } }),
  });
  const text = await response.text();
  if (!response.ok) return String(response.status);
  // Of two that are created, each has its own ID.
  return `${response.status} ${response.status === 201 ? text.replace(/"id":\d+/, '"id":…') : text}`;
}

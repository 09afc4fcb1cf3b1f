import type { LoadRequest } from './operations.js';

/** A program that is compared. */
export interface Answering {
  name: string;
  origin: string;
  /** Whether it sets the headers of the contract, too. */
  setsHeaders: boolean;
}

/** Those that are compared. */
const HEADERS = ['content-type', 'etag', 'location', 'cache-control'];

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
 * Sends each request to every program.
 *
 * @param requests what must be answered with success, with the same status and body
 * @throws Error that says which answers differ
 */
export async function checkSameAnswers(programs: Answering[], requests: LoadRequest[]): Promise<void> {
  for (const request of [...requests, ...REFUSED]) {
    const answers = await Promise.all(programs.map((program) => answer(program, request)));
    const isRefused = REFUSED.includes(request);
    const isRight = answers.every(
      ({ text, headers }, index) =>
        text.startsWith(isRefused ? '4' : '2') &&
        text === answers[0]?.text &&
        (!programs[index]?.setsHeaders || headers === answers[0].headers),
    );
    if (isRight) continue;
    const differences = programs
      .map(({ name }, index) => `\n  ${name}: ${JSON.stringify(answers[index])}`)
      .join('');
    throw new Error(`${request.method} ${request.path} ${request.body ?? ''} is answered${differences}`);
  }
}

async function answer(
  { origin }: Answering,
  { method, path, body }: LoadRequest,
): Promise<{ text: string; headers: string }> {
  const response = await fetch(origin + path, {
    method,
    ...(body !== undefined && { body, headers: { 'Content-Type': 'application/json' } }),
  });
  const text = await response.text();
  if (!response.ok) return { text: String(response.status), headers: '' };
  const headers = HEADERS.map((name) => response.headers.get(name) ?? '').join('\n');
  // Of two that are created, each has its own ID, and of two that update one, the later has the later version.
  const withoutOwn = (own: string) =>
    method === 'GET' ? own : own.replace(/"\d+\.\d+"/, '"…"').replace(/(\/phones\/|"id":)\d+/, '$1…');
  return { text: `${response.status} ${withoutOwn(text)}`, headers: withoutOwn(headers) };
}

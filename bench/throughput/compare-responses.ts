import type { LoadRequest } from './operations.js';

/** A target whose responses are compared with those of the others. */
export interface ComparedTarget {
  name: string;
  origin: string;
  /** Whether it also sets the response headers of the service. */
  setsHeaders: boolean;
}

/** The response headers that are compared. */
const COMPARED_HEADERS = ['content-type', 'etag', 'location', 'cache-control'];

/** Requests that every target must reject. Only the status is compared, as each target words its errors differently. */
const INVALID_REQUESTS: LoadRequest[] = [
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
 * Sends each request to every target and compares the responses.
 *
 * @param requests valid requests, for which status and body must be the same, and the status 2xx
 * @throws Error with the responses of all targets if they differ or have an unexpected status
 */
export async function assertSameResponses(targets: ComparedTarget[], requests: LoadRequest[]): Promise<void> {
  for (const request of [...requests, ...INVALID_REQUESTS]) {
    const responses = await Promise.all(targets.map((target) => sendRequest(target, request)));
    const expectedClass = INVALID_REQUESTS.includes(request) ? '4' : '2';
    const areSame = responses.every(
      ({ text, headers }, index) =>
        text.startsWith(expectedClass) &&
        text === responses[0]?.text &&
        (!targets[index]?.setsHeaders || headers === responses[0].headers),
    );
    if (areSame) continue;
    const list = targets
      .map(({ name }, index) => `\n  ${name}: ${JSON.stringify(responses[index])}`)
      .join('');
    const { method, path, body = '' } = request;
    throw new Error(`Unexpected or different responses to ${method} ${path} ${body}${list}`);
  }
}

/** @returns the status and the body as one text, and the compared headers, without what differs between targets */
async function sendRequest(
  { origin }: ComparedTarget,
  { method, path, body }: LoadRequest,
): Promise<{ text: string; headers: string }> {
  const response = await fetch(origin + path, {
    method,
    ...(body !== undefined && { body, headers: { 'Content-Type': 'application/json' } }),
  });
  const text = await response.text();
  if (!response.ok) return { text: String(response.status), headers: '' };
  const headers = COMPARED_HEADERS.map((name) => response.headers.get(name) ?? '').join('\n');
  // Each created phone has a different ID, and each update of a phone gives it a different version.
  const maskIds = (value: string) =>
    method === 'GET' ? value : value.replace(/"\d+\.\d+"/, '"…"').replace(/(\/phones\/|"id":)\d+/, '$1…');
  return { text: `${response.status} ${maskIds(text)}`, headers: maskIds(headers) };
}

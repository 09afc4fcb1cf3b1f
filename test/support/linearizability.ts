import { isDeepStrictEqual } from 'node:util';
import type { Model, ModelResponse, ModelRequest } from './model.js';
import { requestLine } from './random-requests.js';

/** A request and its response, with the times at which they were sent and received, in any unit. */
export interface Exchange {
  request: ModelRequest;
  response: ModelResponse;
  /** The ID of the phone that the request created, 0 if none. */
  newId: number;
  sentAt: number;
  receivedAt: number;
}

/**
 * Searches for an order of the exchanges in which the model, given one request at a time, returns the same responses.
 * An exchange whose response was received before another request was sent must come first.
 *
 * @returns the model after the last exchange; undefined if there is no such order
 */
export function linearize(model: Model, exchanges: Exchange[]): Model | undefined {
  if (exchanges.length === 0) return model;
  for (const first of exchanges) {
    const others = exchanges.filter((exchange) => exchange !== first);
    if (others.some(({ receivedAt }) => receivedAt < first.sentAt)) continue;
    const next = model.copy();
    if (!isDeepStrictEqual(next.respond(first.request, first.newId), first.response)) continue;
    const last = linearize(next, others);
    if (last !== undefined) return last;
  }
  return undefined;
}

/** Formats the exchanges, and the phones before them, for a failure message. */
export function describeExchanges(before: Model, exchanges: Exchange[]): string {
  return [
    'phones before:',
    ...before.phones().map((phone) => `  ${JSON.stringify(phone)}`),
    'sent..received:',
    ...exchanges.map(
      ({ request, response, sentAt, receivedAt }) =>
        `  ${sentAt}..${receivedAt} ${requestLine(request)} -> ${JSON.stringify(response)}`,
    ),
  ].join('\n');
}

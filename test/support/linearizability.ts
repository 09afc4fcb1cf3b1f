import { isDeepStrictEqual } from 'node:util';
import type { Model, ModelResponse, ModelRequest } from './model.js';
import { requestLine } from './random-requests.js';

/** A request and its answer, with the times at which it was sent and answered, by one clock of any unit. */
export interface Exchange {
  request: ModelRequest;
  answer: ModelResponse;
  /** The ID of the phone that it created, 0 if none. */
  newId: number;
  sent: number;
  answered: number;
}

/**
 * Looks for an order of the exchanges in which the model, asked one by one, gives every answer that was received.
 * One that was answered before another was sent comes before it.
 *
 * @returns the model after the last of them; undefined when there is no such order
 */
export function linearize(model: Model, exchanges: Exchange[]): Model | undefined {
  if (exchanges.length === 0) return model;
  for (const first of exchanges) {
    const others = exchanges.filter((exchange) => exchange !== first);
    if (others.some(({ answered }) => answered < first.sent)) continue;
    const next = model.copy();
    if (!isDeepStrictEqual(next.answer(first.request, first.newId), first.answer)) continue;
    const last = linearize(next, others);
    if (last !== undefined) return last;
  }
  return undefined;
}

/** The phones before the exchanges, and these, for a person to read. */
export function describeExchanges(before: Model, exchanges: Exchange[]): string {
  return [
    'phones before:',
    ...before.phones().map((phone) => `  ${JSON.stringify(phone)}`),
    'sent..answered:',
    ...exchanges.map(
      ({ request, answer, sent, answered }) =>
        `  ${sent}..${answered} ${requestLine(request)} -> ${JSON.stringify(answer)}`,
    ),
  ].join('\n');
}

import { SetMetadata } from '@nestjs/common';
import type { KeyMode } from '../config/environment.js';

/** What a route asks of its caller: nothing, to be a reader, to manage the organization in the path, to be an admin. */
export type Right = 'none' | 'read' | 'manage' | 'admin';

const RIGHT = 'access:right';
const ALWAYS = 'access:always';

/** Open to everyone, with or without a key, as often as they like. */
export const Public = () => SetMetadata<string, Right>(RIGHT, 'none');

/** For admins alone, where a key is needed. */
export const AdminsOnly = () => SetMetadata<string, Right>(RIGHT, 'admin');

/** Needs a key whatever `REQUIRE_API_KEY` says. */
export const AlwaysNeedsKey = () => SetMetadata(ALWAYS, true);

export interface AccessRule {
  right: Right;
  needsKey: boolean;
  /** Whether a key that is sent is looked at; where none is needed, it must still be good. */
  takesKey: boolean;
}

/**
 * The rule of a route. Without a decorator of this file a GET reads, and anything else manages the organization
 * in the path; where there is none, only an admin can.
 *
 * @param controller the class, whose decorators hold for all its handlers
 * @param handler the method of the class, whose own decorators win
 * @param method the HTTP method, in capitals
 * @param mode when a key is needed
 */
export function accessRule(
  controller: object,
  handler: object,
  method: string,
  mode: KeyMode = 'never',
): AccessRule {
  const stated = [handler, controller].map(
    (target) => Reflect.getMetadata(RIGHT, target) as Right | undefined,
  );
  const right = stated[0] ?? stated[1] ?? (isRead(method) ? 'read' : 'manage');
  const always = Reflect.hasMetadata(ALWAYS, handler) || Reflect.hasMetadata(ALWAYS, controller);
  const byMode = mode === 'always' || (mode === 'writes' && (right === 'admin' || !isRead(method)));
  const needsKey = right !== 'none' && (always || byMode);
  // Where no key is ever needed, an Authorization header may be meant for the proxy in front.
  return { right, needsKey, takesKey: needsKey || (right !== 'none' && mode !== 'never') };
}

export function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

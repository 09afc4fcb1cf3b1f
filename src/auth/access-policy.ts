import { isRead } from '../common/http-methods.js';
import type { KeyMode } from '../config/environment.js';
import { type Permission, PERMISSION, REQUIRES_API_KEY } from './auth.decorators.js';
import type { RouteHandler } from './route-handlers.js';

/** What a request to a route needs. */
export interface AccessPolicy {
  permission: Permission;
  requiresKey: boolean;
  /**
   * Whether a key is verified if the request carries one. An invalid key is then an error even where none is needed.
   */
  acceptsKey: boolean;
}

/**
 * Returns the access policy of a route. Without a decorator, GET requires permission to read, and any other method
 * requires permission to manage the organization in the path. If the path has no organization, only an admin has it.
 *
 * @param handler the handler of the route. The decorators of its method take precedence over those of its controller
 * @param httpMethod the HTTP method, in capitals
 * @param mode when a key is needed (`REQUIRE_API_KEY`)
 */
export function accessPolicy(
  { controller, method }: RouteHandler,
  httpMethod: string,
  mode: KeyMode = 'never',
): AccessPolicy {
  const [ofMethod, ofController] = [method, controller].map(
    (target) => Reflect.getMetadata(PERMISSION, target) as Permission | undefined,
  );
  const permission = ofMethod ?? ofController ?? (isRead(httpMethod) ? 'read' : 'manage');
  const isRequired =
    Reflect.hasMetadata(REQUIRES_API_KEY, method) || Reflect.hasMetadata(REQUIRES_API_KEY, controller);
  const isRequiredByMode =
    mode === 'always' || (mode === 'writes' && (permission === 'admin' || !isRead(httpMethod)));
  const requiresKey = permission !== 'none' && (isRequired || isRequiredByMode);
  // In mode `never`, an Authorization header may be meant for the proxy in front.
  return { permission, requiresKey, acceptsKey: requiresKey || (permission !== 'none' && mode !== 'never') };
}

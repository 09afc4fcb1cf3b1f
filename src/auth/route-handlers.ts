import { ModulesContainer } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** A method of a controller that handles a route, with the class whose decorators also apply to it. */
export interface RouteHandler {
  controller: object;
  method: object;
}

/** @returns the methods of all controllers by their names, which are unique, as they are the operation IDs */
export function findRouteHandlers(app: NestFastifyApplication): Map<string, RouteHandler> {
  const controllers = [...app.get(ModulesContainer).values()]
    .flatMap((module) => [...module.controllers.values()])
    .flatMap(({ metatype }) => (typeof metatype === 'function' ? [metatype] : []));
  return new Map(
    controllers.flatMap((controller) => {
      const prototype = controller.prototype as object;
      return Object.getOwnPropertyNames(prototype).map((name) => [
        name,
        { controller, method: Reflect.get(prototype, name) as object },
      ]);
    }),
  );
}

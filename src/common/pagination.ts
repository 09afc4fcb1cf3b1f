import { ApiPropertyOptional } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { IsInteger } from '../validation/integer.js';
import { rawPathOf } from './path-params.js';

const MAX_PAGE = 1_000_000;
const MAX_PER_PAGE = 100;

/** The query parameters of a paginated list. */
export class PageQuery {
  @ApiPropertyOptional({
    description: 'The number of the page, from 1.',
    type: 'integer',
    minimum: 1,
    maximum: MAX_PAGE,
    default: 1,
  })
  @IsInteger(1, MAX_PAGE)
  page = 1;

  @ApiPropertyOptional({
    description: 'The number of items on a page.',
    type: 'integer',
    minimum: 1,
    maximum: MAX_PER_PAGE,
    default: 10,
  })
  @IsInteger(1, MAX_PER_PAGE)
  per_page = 10;
}

/** The find options of TypeORM for a page. */
export function toSkipAndTake({ page, per_page }: PageQuery): { skip: number; take: number } {
  return { skip: (page - 1) * per_page, take: per_page };
}

/** The items of a page, and the total number of items. */
export type Page<Item> = [items: Item[], total: number];

/**
 * Sets the `Link` header (RFC 8288) of a page: `first`, `prev`, `next` and `last`, as far as they exist. Other parameters of
 * the query stay as they are.
 *
 * @returns the items of the page
 */
export function setLinkHeader<Item>(
  reply: FastifyReply,
  { page, per_page, ...filter }: PageQuery,
  [items, total]: Page<Item>,
): Item[] {
  const last = Math.max(1, Math.ceil(total / per_page));
  const pages = { first: 1, prev: page - 1, next: page + 1, last };
  const { url, forwardedPrefix } = reply.request;
  const path = `${forwardedPrefix}${rawPathOf(url)}`;
  const links = Object.entries(pages)
    .filter(([, target]) => target >= 1 && target <= last)
    .map(([rel, target]) => {
      const query = new URLSearchParams({ ...filter, page: String(target), per_page: String(per_page) });
      return `<${path}?${query.toString()}>; rel="${rel}"`;
    });
  reply.header('Link', links.join(', '));
  return items;
}

import type { Exchange } from './exchange.ts';
import { RequestFailure } from './failure.ts';
import { pageLimit } from './limits.ts';

/** A page of a sorted list and, when there is more, the `Link` header that leads to the rest. */
export interface Page {
  readonly items: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
}

/** Cuts a list by the query's `n` and `last` (distribution-spec 1.1, "Listing Tags"). */
export function pageOf(exchange: Exchange, all: readonly string[]): Page {
  const query = exchange.url.searchParams;
  const wanted = query.get('n');
  if (wanted !== null && !/^\d{1,9}$/.test(wanted)) {
    throw new RequestFailure(400, ['UNSUPPORTED', 'query parameter n is not a number']);
  }
  const count = Math.min(wanted === null ? pageLimit : Number(wanted), pageLimit);
  const last = query.get('last') ?? '';
  const rest = all.filter((item) => item > last);
  const items = rest.slice(0, count);
  const end = items.at(-1);
  if (end === undefined || items.length === rest.length) return { items, headers: {} };
  const next = `${exchange.url.pathname}?n=${count}&last=${encodeURIComponent(end)}`;
  return { items, headers: { link: `<${next}>; rel="next"` } };
}

import { RegistryError } from './errors.ts';
import { limits } from './limits.ts';
import type { CallOptions } from './manifests.ts';
import type { Session } from './session.ts';
import { printable, redactUrl } from './transport/redact.ts';
import { resolveOwnTarget } from './transport/redirect.ts';
import { type HttpResponse, readBody } from './transport/response.ts';

/** A list that a registry gives page by page. */
export interface PagedList extends CallOptions {
  /** Path of the first page. */
  readonly target: string;
  /** Names the list in messages: `tags of library/debian`. */
  readonly what: string;
  /** The property of each page that holds the names. */
  readonly property: 'tags' | 'repositories';
  readonly scopes: readonly string[];
}

/**
 * Reads a list of names to its end, in the registry's order. Pages, names and bytes are limited, and pages
 * that go on at another host or in a circle are refused.
 */
export async function readPagedList(session: Session, list: PagedList): Promise<string[]> {
  const { target, what, property, scopes, signal } = list;
  const found: string[] = [];
  const visited = new Set<string>();
  let next: string | URL | undefined = target;
  for (let count = 0; next !== undefined; count++) {
    if (count >= limits.listPages) throw broken(what, `have more than ${limits.listPages} pages`);
    const at: string | URL = next;
    const page: Page = await session.retrying(
      async () => {
        const response = await session.request({
          method: 'GET',
          target: at,
          headers: { accept: 'application/json' },
          what,
          accept: [200],
          scopes,
          signal,
        });
        const body = await readBody(response, { limit: limits.listPageBytes, what });
        return { names: readNames(body, { what, property }), next: nextPage(session, { response, what }) };
      },
      { signal },
    );
    for (const name of page.names) found.push(name);
    if (found.length > limits.listNames) throw broken(what, `are more than ${limits.listNames}`);
    checkVisited(page.next, { visited, what });
    next = page.next;
  }
  return found;
}

interface Page {
  readonly names: readonly string[];
  readonly next: URL | undefined;
}

function readNames(
  body: Uint8Array,
  { what, property }: Pick<PagedList, 'what' | 'property'>,
): readonly string[] {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body).toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) throw broken(what, 'came as something that is not JSON');
    throw error;
  }
  const list = (value as Partial<Record<string, unknown>> | null)?.[property] ?? [];
  if (Array.isArray(list) && list.every((name) => typeof name === 'string')) return list.map(printable);
  throw broken(what, 'came in a list without names');
}

/** The address of the next page, from the `Link` header (distribution-spec "Listing tags"); the same host only. */
export function nextPage(
  session: Session,
  { response, what }: { readonly response: HttpResponse; readonly what: string },
): URL | undefined {
  for (const header of response.headers('link')) {
    const [, target, parameters = ''] = /^\s*<([^>]*)>(.*)$/s.exec(header) ?? [];
    if (target === undefined || !/;\s*rel="?next"?\s*(?:;|,|$)/i.test(parameters)) continue;
    const url = resolveOwnTarget(target, { from: response.url, registry: session.host, what: 'page link' });
    if (url.origin === response.url.origin) return url;
    throw new RegistryError(
      'ERR_OCI_REGISTRY_REDIRECT_REFUSED',
      `${what} go on at another host, ${redactUrl(url)}`,
      { url: redactUrl(url) },
    );
  }
  return undefined;
}

/** Remembers a page's address; throws when it was there already. */
export function checkVisited(
  next: URL | undefined,
  { visited, what }: { readonly visited: Set<string>; readonly what: string },
): void {
  if (next === undefined) return;
  if (visited.has(next.href)) throw broken(what, 'have pages that link in a circle', next);
  visited.add(next.href);
}

/** An answer that cannot be a list. */
export function broken(what: string, reason: string, url?: URL): RegistryError {
  return new RegistryError('ERR_OCI_REGISTRY_PROTOCOL', `${what} ${reason}`, {
    ...(url === undefined ? {} : { url: redactUrl(url) }),
  });
}

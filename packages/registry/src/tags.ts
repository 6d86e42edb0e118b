import { endpoints } from './endpoints.ts';
import { RegistryError } from './errors.ts';
import { limits } from './limits.ts';
import { type CallOptions, pullScopes } from './manifests.ts';
import type { Session } from './session.ts';
import { printable, redactUrl } from './transport/redact.ts';
import { resolveOwnTarget } from './transport/redirect.ts';
import { type HttpResponse, readBody } from './transport/response.ts';

/** One page of a repository's tags. */
interface TagPage {
  readonly tags: readonly string[];
  readonly next: URL | undefined;
}

/** Lists a repository's tags, page by page (distribution-spec "Listing tags"), in the registry's order. */
export async function tags(
  session: Session,
  { repository, signal }: CallOptions & { readonly repository: string },
): Promise<string[]> {
  const found: string[] = [];
  const visited = new Set<string>();
  let target: string | URL = endpoints.tags(repository, limits.tagsPerPage);
  for (let count = 0; count < limits.tagPages; count++) {
    const at: string | URL = target;
    const page: TagPage = await session.retrying(
      () => fetchPage(session, { repository, signal, target: at }),
      {
        signal,
      },
    );
    for (const tag of page.tags) found.push(tag);
    if (found.length > limits.tags) break;
    if (page.next === undefined) return found;
    if (visited.has(page.next.href)) throw broken(repository, 'links its tag pages in a circle', page.next);
    visited.add(page.next.href);
    target = page.next;
  }
  throw broken(repository, `has more than ${limits.tagPages} pages or ${limits.tags} tags`);
}

async function fetchPage(
  session: Session,
  request: CallOptions & { readonly repository: string; readonly target: string | URL },
): Promise<TagPage> {
  const { repository, signal, target } = request;
  const response = await session.request({
    method: 'GET',
    target,
    headers: { accept: 'application/json' },
    what: `tags of ${repository}`,
    accept: [200],
    scopes: pullScopes(repository),
    signal,
  });
  const body = await readBody(response, { limit: limits.tagPageBytes, what: `tags of ${repository}` });
  return { tags: readTags(body, repository), next: nextPage(session, { response, repository }) };
}

function readTags(body: Uint8Array, repository: string): readonly string[] {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body).toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) throw broken(repository, 'sent a tag list that is not JSON');
    throw error;
  }
  const list = (value as { tags?: unknown } | null)?.tags ?? [];
  if (Array.isArray(list) && list.every((tag) => typeof tag === 'string')) return list.map(printable);
  throw broken(repository, 'sent a tag list without tags');
}

/** The next page must be the same registry's: it is asked with our credentials. */
function nextPage(
  session: Session,
  { response, repository }: { readonly response: HttpResponse; readonly repository: string },
): URL | undefined {
  for (const header of response.headers('link')) {
    const [, target, parameters = ''] = /^\s*<([^>]*)>(.*)$/s.exec(header) ?? [];
    if (target === undefined || !/;\s*rel="?next"?\s*(?:;|,|$)/i.test(parameters)) continue;
    const url = resolveOwnTarget(target, { from: response.url, registry: session.host, what: 'page link' });
    if (url.origin === response.url.origin) return url;
    throw new RegistryError(
      'ERR_OCI_REGISTRY_REDIRECT_REFUSED',
      `tags of ${repository} go on at another host, ${redactUrl(url)}`,
      { url: redactUrl(url) },
    );
  }
  return undefined;
}

function broken(repository: string, reason: string, url?: URL): RegistryError {
  return new RegistryError('ERR_OCI_REGISTRY_PROTOCOL', `${repository} ${reason}`, {
    ...(url === undefined ? {} : { url: redactUrl(url) }),
  });
}

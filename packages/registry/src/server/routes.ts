import { isDigest } from '@ocijs/image';
import { RequestFailure } from './failure.ts';
import { isDigestReference, isRepositoryName, isTag } from './names.ts';

/** What a path asks for; names and references are checked against the grammar, so nothing else reaches a handler. */
export type Route =
  | { readonly kind: 'ping' }
  | { readonly kind: 'token' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'manifest'; readonly repository: string; readonly reference: string }
  | { readonly kind: 'blob'; readonly repository: string; readonly digest: string }
  | { readonly kind: 'uploads'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly id: string }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'referrers'; readonly repository: string; readonly digest: string };

/** Reads the path from its end, since a repository may itself have a component called `blobs` or `manifests`. */
export function parseRoute(pathname: string): Route | undefined {
  if (pathname === '/v2/' || pathname === '/v2') return { kind: 'ping' };
  if (pathname === '/token') return { kind: 'token' };
  if (pathname === '/v2/_catalog') return { kind: 'catalog' };
  if (!pathname.startsWith('/v2/')) return undefined;
  const segments = pathname.slice('/v2/'.length).split('/').map(decodeSegment);
  const last = segments.pop() ?? '';
  const verb = segments.pop() ?? '';
  const rest = (): string => checkedRepository(segments.join('/'));
  if (verb === 'manifests')
    return { kind: 'manifest', repository: rest(), reference: checkedReference(last) };
  if (verb === 'referrers') return { kind: 'referrers', repository: rest(), digest: checkedDigest(last) };
  if (verb === 'tags' && last === 'list') return { kind: 'tags', repository: rest() };
  if (verb === 'blobs' && last === 'uploads') return { kind: 'uploads', repository: rest() };
  if (verb === 'blobs') return { kind: 'blob', repository: rest(), digest: checkedDigest(last) };
  if (verb === 'uploads' && segments.pop() === 'blobs') {
    return last === ''
      ? { kind: 'uploads', repository: rest() }
      : { kind: 'upload', repository: rest(), id: last };
  }
  return undefined;
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    throw new RequestFailure(400, ['NAME_INVALID', 'path is not valid percent-encoding']);
  }
}

/** Answers 400 unless the name fits the grammar. */
export function checkedRepository(name: string): string {
  if (isRepositoryName(name)) return name;
  throw new RequestFailure(400, ['NAME_INVALID', 'repository name does not fit the grammar']);
}

function checkedDigest(text: string): string {
  if (isDigest(text)) return text;
  throw new RequestFailure(400, ['DIGEST_INVALID', 'digest is malformed or its algorithm is not supported']);
}

function checkedReference(text: string): string {
  if (isDigestReference(text)) return checkedDigest(text);
  if (isTag(text)) return text;
  throw new RequestFailure(400, ['MANIFEST_INVALID', 'reference is neither a tag nor a digest']);
}

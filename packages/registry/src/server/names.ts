import { basename } from 'node:path';

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const repositoryPattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/** True for a repository name of distribution-spec 1.1 with at most 255 characters. */
export function isRepositoryName(name: string): boolean {
  return name.length <= 255 && repositoryPattern.test(name);
}

/** True for a tag of distribution-spec 1.1. */
export function isTag(text: string): boolean {
  return tagPattern.test(text);
}

/** True for a reference that is a digest; the others are tags. */
export function isDigestReference(reference: string): boolean {
  return reference.includes(':');
}

/** One way in which a name of the layout can be asked for. Lower ranks win when two names collide. */
export interface ServedName {
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
  readonly rank: number;
}

/** The name under which the server itself keeps a tag or a digest of a repository in `index.json`. */
export function layoutName(repository: string, reference: string): string {
  return `${repository}${isDigestReference(reference) ? '@' : ':'}${reference}`;
}

/** The repository that plain tags of a layout belong to: the directory's base name, made to fit the grammar. */
export function baseRepositoryOf(directory: string): string {
  const name = basename(directory)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return isRepositoryName(name) ? name : 'image';
}

/**
 * How a `ref.name` of the layout is served:
 * `team/app:v1` as itself; `docker.io/library/debian:bookworm` as itself and as `library/debian:bookworm`;
 * `localhost:5000/app:v1` as `app:v1`; a plain `v1` as tag of the base repository.
 */
export function servedNames(name: string, baseRepository: string): readonly ServedName[] {
  const at = name.indexOf('@');
  const beforeDigest = at < 0 ? name : name.slice(0, at);
  const digest = at < 0 ? {} : { digest: name.slice(at + 1) };
  const slash = beforeDigest.indexOf('/');
  const colon = beforeDigest.indexOf(':', beforeDigest.lastIndexOf('/') + 1);
  if (slash < 0 && colon < 0 && at < 0)
    return isTag(name) ? [{ repository: baseRepository, tag: name, rank: 3 }] : [];

  const path = colon < 0 ? beforeDigest : beforeDigest.slice(0, colon);
  const tagText = colon < 0 ? (at < 0 ? 'latest' : undefined) : beforeDigest.slice(colon + 1);
  if (tagText !== undefined && !isTag(tagText)) return [];
  const parts = { ...digest, ...(tagText === undefined ? {} : { tag: tagText }) };
  const host = path.slice(0, Math.max(slash, 0));
  const candidates = [{ repository: path, rank: 0, ...parts }];
  if (/[.:]/.test(host) || host === 'localhost') {
    candidates.push({ repository: path.slice(slash + 1), rank: host === 'docker.io' ? 1 : 2, ...parts });
  }
  return candidates.filter(({ repository }) => isRepositoryName(repository));
}

import { type Digest, isDigest, parseDigest } from '../digest/digest.ts';
import { ImageError, isOciError } from '../errors.ts';
import { REFERENCE_LIMIT } from '../limits.ts';
import { isDomain, isRepositoryPath, isTag, splitFamiliarName, splitReference } from './grammar.ts';

/** Names an image in a registry. */
export interface Reference {
  /** `host[:port]`, such as `docker.io` or `localhost:5000`. */
  readonly registry: string;
  /** The repository inside the registry, such as `library/debian`. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const defaultRegistry = 'docker.io';
const legacyDefaultRegistry = 'index.docker.io';
const officialPrefix = 'library/';
const defaultTag = 'latest';
const longestPath = 255;
const imageIdentifier = /^[a-f0-9]{64}$/;

interface Problem {
  readonly reason: string;
  readonly hint?: string;
  readonly cause?: unknown;
}

function invalid(text: string, { reason, ...details }: Problem): ImageError {
  const shown = text.length > 300 ? `${text.slice(0, 300)}…` : text;
  return new ImageError(
    'ERR_OCI_REFERENCE_INVALID',
    `reference ${JSON.stringify(shown)} is invalid: ${reason}`,
    {
      reference: shown,
      hint: 'a reference looks like debian:bookworm or registry.example.com:5000/team/app@sha256:…',
      ...details,
    },
  );
}

/** What is wrong before the reference is even taken apart; the usual slips get their own advice. */
function findSlip(text: string): Problem | undefined {
  if (text === '') return { reason: 'it is empty' };
  if (text.length > REFERENCE_LIMIT) return { reason: `longer than ${REFERENCE_LIMIT} characters` };
  if (/\s/.test(text)) return { reason: 'white space in it' };
  const scheme = /^([a-z-]+):\/\//i.exec(text)?.[0];
  if (scheme !== undefined)
    return { reason: 'a URL is not a reference', hint: `leave out ${scheme} at the beginning` };
  if (isDigest(text) || imageIdentifier.test(text))
    return {
      reason: 'a digest alone does not say which repository it is in',
      hint: 'name the repository, as in debian@sha256:…',
    };
  return undefined;
}

function checkRegistry(text: string, registry: string): void {
  if (!isDomain(registry)) throw invalid(text, { reason: `${JSON.stringify(registry)} is not a registry` });
  // The grammar allows port 99999 and the address [::::]; a connection does not.
  if (!URL.canParse(`https://${registry}/`))
    throw invalid(text, { reason: `${JSON.stringify(registry)} is not a host that can be connected to` });
}

function checkRepository(text: string, repository: string): void {
  if (repository.length > longestPath)
    throw invalid(text, { reason: `the repository is longer than ${longestPath} characters` });
  if (isRepositoryPath(repository)) return;
  if (isRepositoryPath(repository.toLowerCase()))
    throw invalid(text, {
      reason: 'upper-case letters in the repository',
      hint: `repositories are lower-case; did you mean ${text.replace(repository, repository.toLowerCase())}?`,
    });
  throw invalid(text, { reason: `${JSON.stringify(repository)} is not a repository` });
}

function checkTag(text: string, tag: string): void {
  if (isTag(tag)) return;
  throw invalid(text, {
    reason: `${JSON.stringify(tag)} is not a tag`,
    hint: 'a tag has up to 128 letters, digits, "_", "." and "-", and does not start with "." or "-"',
  });
}

function readDigestPart(text: string, part: string): Digest {
  try {
    return parseDigest(part);
  } catch (cause) {
    if (!isOciError(cause)) throw cause;
    throw invalid(text, { reason: cause.message, cause, ...(cause.hint ? { hint: cause.hint } : {}) });
  }
}

/**
 * Reads an image reference, `[registry/]repository[:tag][@digest]`, and completes it as Docker does: without a registry
 * it is on `docker.io`, there without a namespace in `library/`, and without tag and digest its tag is `latest`.
 * Nothing is lower-cased silently. Throws ERR_OCI_REFERENCE_INVALID.
 */
export function parseReference(text: string): Reference {
  const slip = findSlip(text);
  if (slip !== undefined) throw invalid(text, slip);
  const parts = splitReference(text);
  const { domain, path } = splitFamiliarName(parts.name);
  const registry = domain === undefined || domain === legacyDefaultRegistry ? defaultRegistry : domain;
  checkRegistry(text, registry);
  checkRepository(text, path);
  const repository = registry === defaultRegistry && !path.includes('/') ? `${officialPrefix}${path}` : path;
  if (parts.tag !== undefined) checkTag(text, parts.tag);
  const digest = parts.digest === undefined ? undefined : readDigestPart(text, parts.digest);
  const tag = parts.tag ?? (digest === undefined ? defaultTag : undefined);
  return {
    registry,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

function withTagAndDigest(name: string, { tag, digest }: Reference): string {
  return `${name}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** Writes a reference in full, such as `docker.io/library/debian:bookworm`. */
export function formatReference(reference: Reference): string {
  return withTagAndDigest(`${reference.registry}/${reference.repository}`, reference);
}

/** Writes a reference as short as {@link parseReference} still reads it as the same, such as `debian:bookworm`. */
export function familiarReference(reference: Reference): string {
  const { registry, repository } = reference;
  if (registry !== defaultRegistry) return formatReference(reference);
  const name = repository.startsWith(officialPrefix) ? repository.slice(officialPrefix.length) : repository;
  const short = name.includes('/') ? repository : name;
  const familiar = withTagAndDigest(short, reference);
  // A namespace with a dot would be taken for a registry, and a repository "sha256" for a digest.
  const misread = splitFamiliarName(short).domain !== undefined || findSlip(familiar) !== undefined;
  return misread ? formatReference(reference) : familiar;
}

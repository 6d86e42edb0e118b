import { formatReference, isOciError, type Reference } from '@ocijs/image';
import { registryEnvironment } from '../env.ts';
import { RegistryError } from '../errors.ts';
import { defaultRetries, mirrorRetries } from '../limits.ts';
import type { RegistryOptions } from '../options.ts';
import { createSession, type Session } from '../session.ts';
import { loadRegistriesConf } from './load.ts';
import { type EntryMatch, findEntry, rewriteName } from './match.ts';
import { blocked } from './policy.ts';

/** One place where the content of a reference can be had. */
export interface PullSource {
  /** The name there; tag and digest are always those that were asked for. */
  readonly reference: Reference;
  /** What may be used there: credentials, client certificates and exceptions of the options are not for mirrors. */
  readonly options: RegistryOptions;
  /** What the configuration says of this place; undefined: nothing. */
  readonly insecure: boolean | undefined;
  readonly isMirror: boolean;
}

/**
 * Where to look for a reference: the mirrors that the configuration names for it, in order, then the place
 * itself. Throws ERR_OCI_REGISTRY_BLOCKED, ERR_OCI_REGISTRY_CONFIG_INVALID, ERR_OCI_REFERENCE_INVALID.
 */
export async function pullSources(
  reference: Reference,
  options: RegistryOptions,
): Promise<readonly PullSource[]> {
  const entries = await loadRegistriesConf(registryEnvironment(options.env), options);
  const name = formatReference(reference);
  const match = findEntry(entries, name);
  if (match === undefined) return [{ reference, options, insecure: undefined, isMirror: false }];
  if (match.entry.blocked) throw blocked(name);
  return [
    ...mirrorSources(match, { reference, options, name }),
    ownSource(match, { reference, options, name }),
  ];
}

interface Asked {
  readonly reference: Reference;
  readonly options: RegistryOptions;
  readonly name: string;
}

function mirrorSources(
  { entry, length }: EntryMatch,
  { reference, options, name }: Asked,
): readonly PullSource[] {
  const unwanted = reference.digest === undefined ? 'digest-only' : 'tag-only';
  const {
    credentials: _own,
    certificateDirectory: _client,
    plainHttp: _http,
    tlsVerify: _tls,
    ...rest
  } = options;
  const retry = Math.min(options.retry ?? defaultRetries, mirrorRetries);
  return entry.mirrors
    .filter(({ pullFrom }) => pullFrom !== unwanted)
    .map(({ location, insecure }) => ({
      reference: rewriteName(name, { length, location }),
      options: { ...rest, retry },
      insecure,
      isMirror: true,
    }));
}

function ownSource({ entry, length }: EntryMatch, { reference, options, name }: Asked): PullSource {
  const { location, insecure, prefix } = entry;
  const isMoved = location !== '' && location !== prefix;
  return {
    reference: isMoved ? rewriteName(name, { length, location }) : reference,
    options,
    insecure,
    isMirror: false,
  };
}

/**
 * Does work at the first place where it succeeds. A mirror that does not answer, does not have the content or
 * sends other content is a `warning` event (`MIRROR_FAILED`), and the next place is asked; what the last one
 * says is thrown.
 */
export async function fromSources<T>(
  reference: Reference,
  options: RegistryOptions,
  work: (source: PullSource) => Promise<T>,
): Promise<T> {
  const sources = await pullSources(reference, options);
  for (const source of sources) {
    options.signal?.throwIfAborted();
    if (!source.isMirror) return work(source);
    try {
      return await work(source);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!isOfSource(error)) throw error;
      const message = `mirror ${formatReference(source.reference)} is passed over: ${error.message}`;
      options.onEvent?.({ type: 'warning', code: 'MIRROR_FAILED', message });
    }
  }
  throw new Error('unreachable: the last source is never a mirror');
}

/** A session for one source. */
export function sourceSession({ reference, options, insecure }: PullSource): Session {
  const { registry, repository } = reference;
  return createSession(registry, { ...options, repository, insecure });
}

const contentCodes: ReadonlySet<string> = new Set([
  'ERR_OCI_DIGEST_MISMATCH',
  'ERR_OCI_SIZE_MISMATCH',
  'ERR_OCI_JSON_INVALID',
  'ERR_OCI_MANIFEST_INVALID',
  'ERR_OCI_CONFIG_INVALID',
  'ERR_OCI_MEDIA_TYPE_UNSUPPORTED',
  'ERR_OCI_LIMIT_EXCEEDED',
  'ERR_OCI_PLATFORM_NOT_FOUND',
]);

/** A full disk is no reason to ask elsewhere; anything that the mirror did is. */
function isOfSource(error: unknown): error is Error {
  return error instanceof RegistryError || (isOciError(error) && contentCodes.has(error.code));
}

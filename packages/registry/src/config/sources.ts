import { formatReference, isOciError, type OnEvent, type Reference } from '@ocijs/image';
import { type RegistryEnvironment, registryEnvironment } from '../env.ts';
import { RegistryError } from '../errors.ts';
import { defaultRetries, mirrorRetries } from '../limits.ts';
import type { RegistryOptions } from '../options.ts';
import { resolve } from '../resolve.ts';
import { createSession, type Session } from '../session.ts';
import { capableEndpoints, type Endpoint, noHost } from './endpoint.ts';
import { loadHosts } from './hosts-directory.ts';
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
  /** Which host of a `hosts.toml` it is; undefined: the one that the reference names. */
  readonly endpoint?: Endpoint | undefined;
  /** False when it is trusted with digests only: what a tag names is asked elsewhere. */
  readonly resolves: boolean;
}

/**
 * Where to look for a reference: the mirrors that registries.conf names for it, in order, then the hosts that
 * containerd's `hosts.toml` names for the registry, the registry itself last. Throws ERR_OCI_REGISTRY_BLOCKED,
 * ERR_OCI_REGISTRY_CONFIG_INVALID, ERR_OCI_REFERENCE_INVALID.
 */
export async function pullSources(
  reference: Reference,
  options: RegistryOptions,
): Promise<readonly PullSource[]> {
  const environment = registryEnvironment(options.env);
  const { registries } = await loadRegistriesConf(environment, options);
  const name = formatReference(reference);
  const match = findEntry(registries, name);
  if (match?.entry.blocked) throw blocked(name);
  const plain = { reference, options, insecure: undefined, isMirror: false, resolves: true };
  if (match === undefined) return hostSources(plain, environment);
  return [
    ...mirrorSources(match, { reference, options, name }),
    ...(await hostSources(ownSource(match, { reference, options, name }), environment)),
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
  return entry.mirrors
    .filter(({ pullFrom }) => pullFrom !== unwanted)
    .map(({ location, insecure }) => ({
      reference: rewriteName(name, { length, location }),
      options: mirrorOptions(options),
      insecure,
      isMirror: true,
      resolves: true,
    }));
}

function mirrorOptions(options: RegistryOptions): RegistryOptions {
  const {
    credentials: _own,
    certificateDirectory: _client,
    plainHttp: _http,
    tlsVerify: _tls,
    ...rest
  } = options;
  return { ...rest, retry: Math.min(options.retry ?? defaultRetries, mirrorRetries) };
}

function ownSource({ entry, length }: EntryMatch, { reference, options, name }: Asked): PullSource {
  const { location, insecure, prefix } = entry;
  const isMoved = location !== '' && location !== prefix;
  return {
    reference: isMoved ? rewriteName(name, { length, location }) : reference,
    options,
    insecure,
    isMirror: false,
    resolves: true,
  };
}

/** The hosts that stand for a registry, and the registry. */
async function hostSources(
  own: PullSource,
  environment: RegistryEnvironment,
): Promise<readonly PullSource[]> {
  const { reference, options } = own;
  const file = await loadHosts(reference.registry, { ...options, environment });
  if (file === undefined) return [own];
  const endpoints = capableEndpoints(reference.registry, { file, capability: 'pull' });
  if (endpoints.length === 0) throw noHost(reference.registry, 'pull');
  return endpoints.map((endpoint): PullSource => {
    const { url, capabilities } = endpoint.settings;
    const resolves = capabilities.has('resolve');
    if (endpoint.settings === file.server) return { ...own, endpoint, resolves };
    return {
      reference: { ...reference, registry: url?.host ?? reference.registry },
      options: mirrorOptions(options),
      insecure: undefined,
      isMirror: true,
      endpoint,
      resolves,
    };
  });
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
  return firstOf(await trustedSources(reference, options), options, work);
}

/** The same places, where those that are not trusted with tags have the digest that others say the tag names. */
export async function trustedSources(
  reference: Reference,
  options: RegistryOptions,
): Promise<readonly PullSource[]> {
  return pinnedSources(await pullSources(reference, options), options);
}

async function firstOf<T>(
  sources: readonly PullSource[],
  options: RegistryOptions,
  work: (source: PullSource) => Promise<T>,
): Promise<T> {
  const last = sources.at(-1);
  for (const source of sources) {
    options.signal?.throwIfAborted();
    if (source === last) return work(source);
    try {
      return await work(source);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!isOfSource(error)) throw error;
      passedOver(source, { error, onEvent: options.onEvent });
    }
  }
  throw new Error('unreachable: there is always a source');
}

/** Says that a place failed and the next one is asked. */
export function passedOver(
  { reference }: Pick<PullSource, 'reference'>,
  { error, onEvent }: { readonly error: Error; readonly onEvent: OnEvent | undefined },
): void {
  const message = `mirror ${formatReference(reference)} is passed over: ${error.message}`;
  onEvent?.({ type: 'warning', code: 'MIRROR_FAILED', message });
}

/** Places that are not trusted with tags are asked for the digest that the others say the tag names. */
async function pinnedSources(
  sources: readonly PullSource[],
  options: RegistryOptions,
): Promise<readonly PullSource[]> {
  const isPlain = sources.every(({ reference, resolves }) => resolves || reference.digest !== undefined);
  if (isPlain) return sources;
  const trusted = sources.filter(({ resolves }) => resolves);
  const [first] = sources;
  if (trusted.length === 0 && first !== undefined) throw noHost(first.reference.registry, 'resolve');
  const digest = await firstOf(trusted, options, async (source) => {
    await using session = sourceSession(source);
    const { reference } = source;
    return (await resolve(session, { reference, signal: options.signal })).descriptor.digest;
  });
  return sources.map((source) => {
    if (source.resolves) return source;
    const { registry, repository } = source.reference;
    return { ...source, reference: { registry, repository, digest } };
  });
}

/** A session for one source. */
export function sourceSession({ reference, options, insecure, endpoint }: PullSource): Session {
  const { registry, repository } = reference;
  return createSession(registry, { ...options, repository, insecure, endpoint });
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

/** True for what a place did wrong. A full disk is no reason to ask elsewhere; anything that the mirror did is. */
export function isOfSource(error: unknown): error is Error {
  return error instanceof RegistryError || (isOciError(error) && contentCodes.has(error.code));
}

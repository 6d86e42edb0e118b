import type { Descriptor } from '../descriptor.ts';
import { ImageError, isOciError } from '../errors.ts';
import { INDEX_DEPTH_LIMIT, INDEX_ENTRIES_LIMIT } from '../limits.ts';
import type { Index } from '../manifest/types.ts';
import { isIndexType, isManifestType } from '../media-types.ts';
import { hostPlatform } from '../platform/host.ts';
import { matchesPlatform } from '../platform/match.ts';
import { selectPlatform } from '../platform/select.ts';
import type { Platform } from '../platform.ts';
import type { ContentStore } from './content-store.ts';
import { platformOf, readConfig, readDocument } from './load-image.ts';

type Content = Pick<ContentStore, 'readAll'>;

/** Options of {@link chooseManifest}. */
export interface ChooseManifestOptions {
  readonly name: string;
  /** Default: that of this host. */
  readonly platform?: Platform | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The manifest of an index that fits the platform. Only when no entry says that it fits are other documents read:
 * indexes within the index, and the configs of manifests that don't say their platform. A manifest that is alone and
 * says nothing is taken as it is, unless a platform is asked for.
 *
 * Throws ERR_OCI_PLATFORM_NOT_FOUND, and ERR_OCI_LIMIT_EXCEEDED for an index of absurd depth or length.
 */
export async function chooseManifest(
  content: Content,
  index: Index,
  { name, platform, signal }: ChooseManifestOptions,
): Promise<Descriptor> {
  const wanted = platform ?? hostPlatform();
  const direct = fitting(index.manifests, wanted);
  if (direct !== undefined) return direct;
  const candidates: Descriptor[] = [];
  await gather(content, index, {
    name,
    candidates,
    left: { entries: INDEX_ENTRIES_LIMIT },
    depth: 1,
    signal,
  });
  const [only] = candidates;
  if (platform === undefined && candidates.length === 1 && only?.platform === undefined && only !== undefined)
    return only;
  const nested = fitting(candidates, wanted);
  if (nested !== undefined) return nested;
  const known: Descriptor[] = [];
  for (const candidate of candidates)
    known.push(...(await withPlatformOfConfig(content, candidate, { name, signal })));
  return selectPlatform(known, wanted);
}

/** The manifest that says it is for the platform. */
function fitting(descriptors: readonly Descriptor[], wanted: Platform): Descriptor | undefined {
  const telling = descriptors.filter(
    ({ mediaType, platform }) => platform !== undefined && isManifestType(mediaType),
  );
  return telling.some(({ platform }) => platform !== undefined && matchesPlatform(platform, wanted))
    ? selectPlatform(telling, wanted)
    : undefined;
}

interface Gathering {
  readonly name: string;
  readonly candidates: Descriptor[];
  /** An index may name another one many times over, and that one the next: only a common count bounds the work. */
  readonly left: { entries: number };
  readonly depth: number;
  readonly signal: AbortSignal | undefined;
}

/** Collects the manifests of an index and of the indexes in it, in their order. */
async function gather(content: Content, index: Index, gathering: Gathering): Promise<void> {
  const { name, candidates, left, depth, signal } = gathering;
  for (const entry of index.manifests) {
    if (left.entries-- === 0) throw tooMuch(name, 'entries', INDEX_ENTRIES_LIMIT);
    if (isManifestType(entry.mediaType)) candidates.push(entry);
    if (!isIndexType(entry.mediaType)) continue;
    if (depth === INDEX_DEPTH_LIMIT) throw tooMuch(name, 'levels', INDEX_DEPTH_LIMIT);
    const nested = await readDocument(content, entry, { signal });
    if (nested.kind === 'index') await gather(content, nested.index, { ...gathering, depth: depth + 1 });
  }
}

/** The entry with the platform that its config names; nothing for an artifact, which has none. */
async function withPlatformOfConfig(
  content: Content,
  descriptor: Descriptor,
  { name, signal }: { readonly name: string; readonly signal: AbortSignal | undefined },
): Promise<Descriptor[]> {
  if (descriptor.platform !== undefined) return [descriptor];
  const document = await readDocument(content, descriptor, { signal });
  if (document.kind === 'index') return [];
  try {
    const { config } = await readConfig(content, document.manifest, { name, signal });
    return [{ ...descriptor, platform: platformOf(config) }];
  } catch (error) {
    if (isOciError(error, 'ERR_OCI_MEDIA_TYPE_UNSUPPORTED')) return [];
    throw error;
  }
}

function tooMuch(name: string, what: string, limit: number): ImageError {
  return new ImageError('ERR_OCI_LIMIT_EXCEEDED', `the index of ${name} has more than ${limit} ${what}`, {
    reference: name,
    limit,
    hint: 'name the manifest that you want by its digest',
  });
}

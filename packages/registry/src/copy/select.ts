import {
  type Descriptor,
  type Digest,
  ImageError,
  type Index,
  isIndexType,
  isOciError,
  loadImage,
  type Platform,
  parseIndex,
  selectPlatform,
} from '@ocijs/image';
import { RegistryError } from '../errors.ts';
import { chooseAll, type ImageGraph, walkGraph } from '../graph.ts';
import { limits } from '../limits.ts';
import { ATTESTATION_SUBJECT } from './rewrite.ts';
import type { CopySource } from './source.ts';

/** Which images of an index go along. */
export interface Selection {
  /** One, which then stands alone; some; all; or what is there, for an archive that has only some of them. */
  readonly extent: 'one' | 'some' | 'all' | 'present';
  /** With `one`; default: the host's. */
  readonly platform?: Platform | undefined;
  /** With `some`. */
  readonly platforms?: readonly Platform[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What is copied. */
export interface Selected {
  readonly top: Descriptor;
  readonly graph: ImageGraph;
  /** Of a single image. */
  readonly platform: Platform | undefined;
}

/**
 * Finds what is to be copied of a source. Throws ERR_OCI_PLATFORM_NOT_FOUND, and ERR_OCI_REGISTRY_INCOMPLETE for an
 * index of which the source has only a part.
 */
export async function selectGraph(source: CopySource, selection: Selection): Promise<Selected> {
  const { top, platform } = await chooseTop(source, selection);
  const { extent, platforms = [] } = selection;
  const present = extent === 'present' ? await presentBelow(source, top, selection) : undefined;
  if (extent === 'some' && !isIndexType(top.mediaType)) throw noChoice(source, top);
  try {
    const graph = await walkGraph(top, {
      load: (descriptor) => load(source, descriptor, selection),
      choose: (index) => {
        if (extent === 'some') return chooseSome(index, platforms);
        return present === undefined
          ? chooseAll(index)
          : index.manifests.filter(({ digest }) => present.has(digest));
      },
    });
    return { top, graph, platform };
  } catch (error) {
    if (!isOciError(error, 'ERR_OCI_BLOB_NOT_FOUND') || !isIndexType(top.mediaType)) throw error;
    throw new RegistryError(
      'ERR_OCI_REGISTRY_INCOMPLETE',
      `${source.name} has only a part of the index ${top.digest}`,
      {
        cause: error,
        digest: top.digest,
        hint: 'pull it with --all-platforms before, or copy one with --platform OS/ARCH',
      },
    );
  }
}

/** The entries for some platforms, and the attestations about them. */
function chooseSome({ manifests }: Index, platforms: readonly Platform[]): readonly Descriptor[] {
  const chosen = new Set(platforms.map((platform) => selectPlatform(manifests, platform).digest));
  return manifests.filter(({ digest, annotations }) => {
    const about = annotations?.[ATTESTATION_SUBJECT];
    return chosen.has(digest) || (about !== undefined && chosen.has(about as Digest));
  });
}

function noChoice({ name }: CopySource, { digest }: Descriptor): ImageError {
  return new ImageError(
    'ERR_OCI_PLATFORM_NOT_FOUND',
    `${name} is an image of one platform: there are no others to choose`,
    { digest, hint: 'leave out --platform, or name one' },
  );
}

async function chooseTop(
  { top, content, name }: CopySource,
  { extent, platform, signal }: Selection,
): Promise<Pick<Selected, 'top' | 'platform'>> {
  if (extent !== 'one') return { top, platform: undefined };
  // A manifest without a platform to compare may be of an artifact, which has no config to look into.
  if (!isIndexType(top.mediaType) && platform === undefined) return { top, platform: top.platform };
  const image = await loadImage(content, top, { name, platform, signal });
  return { top: image.descriptor, platform: image.platform };
}

/** The digests below an index that the source has, over all levels. */
async function presentBelow(
  source: CopySource,
  top: Descriptor,
  selection: Selection,
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const indexes = isIndexType(top.mediaType) ? [top] : [];
  // Grows while it is walked; what is found once is not looked at again, so that circles end.
  for (const index of indexes) {
    if (indexes.length > limits.indexManifests) break;
    const { manifests } = parseIndex(await load(source, index, selection), { mediaType: index.mediaType });
    for (const entry of manifests) {
      if (found.has(entry.digest) || !(await source.has(entry))) continue;
      found.add(entry.digest);
      if (isIndexType(entry.mediaType)) indexes.push(entry);
    }
  }
  return found;
}

function load({ content }: CopySource, descriptor: Descriptor, { signal }: Selection): Promise<Uint8Array> {
  return content.readAll(descriptor, { signal, limit: limits.manifestBytes });
}

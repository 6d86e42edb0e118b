import { writeIndex } from '../build/image.ts';
import type { Descriptor } from '../descriptor.ts';
import type { Index } from '../manifest/types.ts';
import { isSamePlatform } from '../platform/match.ts';
import { formatPlatform } from '../platform/parse.ts';
import type { Platform } from '../platform.ts';
import { readDocument } from '../store/load-image.ts';
import type { ImageStore } from '../store/store.ts';
import { changedMap, type MapChanges } from './config-changes.ts';
import { editInvalid } from './draft.ts';

/** Options of {@link editIndex}. */
export interface EditIndexOptions {
  /** Images to put in, each with its platform; one for a platform that is there takes its place. */
  readonly add?: readonly Descriptor[] | undefined;
  /** Platforms and digests of what goes out. */
  readonly remove?: readonly (Platform | string)[] | undefined;
  readonly annotations?: MapChanges | undefined;
  /** The name that the index gets. */
  readonly name: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes an index of several images, or changes one (image-spec `image-index.md`). `from` is the index to change. The
 * images must be in the store. Throws ERR_OCI_EDIT_INVALID when what is to go is not there, or `from` is no index,
 * ERR_OCI_BLOB_NOT_FOUND for images that the store lacks.
 */
export async function editIndex(
  store: ImageStore,
  from: Descriptor | undefined,
  { add = [], remove = [], annotations = {}, name, signal }: EditIndexOptions,
): Promise<Descriptor> {
  const old = from === undefined ? undefined : await readIndex(store, from, { name, signal });
  let manifests = [...(old?.manifests ?? [])];
  for (const wanted of remove) {
    const left = manifests.filter((entry) => !isMeant(entry, wanted));
    if (left.length === manifests.length)
      throw editInvalid(
        `${name} has no image ${typeof wanted === 'string' ? wanted : `for ${formatPlatform(wanted)}`}`,
        `it has ${manifests.map(describe).join(', ') || 'none'}`,
      );
    manifests = left;
  }
  for (const image of add) {
    const { platform } = image;
    const place = manifests.findIndex(
      (entry) =>
        entry.digest === image.digest ||
        (platform !== undefined && entry.platform !== undefined && isSamePlatform(entry.platform, platform)),
    );
    if (place < 0) manifests.push(image);
    else manifests[place] = image;
  }
  const changed = changedMap(old?.annotations ?? {}, annotations);
  return writeIndex(store, {
    manifests,
    name,
    signal,
    ...(Object.keys(changed).length === 0 ? {} : { annotations: changed }),
  });
}

async function readIndex(
  store: ImageStore,
  descriptor: Descriptor,
  { name, signal }: { readonly name: string; readonly signal: AbortSignal | undefined },
): Promise<Index> {
  const document = await readDocument(store, descriptor, { signal });
  if (document.kind === 'index') return document.index;
  throw editInvalid(
    `${name} is an image of one platform, not an index`,
    'make an index with `oci index create`',
  );
}

function isMeant(entry: Descriptor, wanted: Platform | string): boolean {
  if (typeof wanted === 'string') return entry.digest === wanted;
  return entry.platform !== undefined && isSamePlatform(entry.platform, wanted);
}

function describe({ platform, digest }: Descriptor): string {
  return platform === undefined ? digest : formatPlatform(platform);
}

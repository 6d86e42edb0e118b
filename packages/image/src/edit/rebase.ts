import { compareImageTrees } from '../contents/compare-images.ts';
import { comparePaths } from '../contents/compare-trees.ts';
import { readImageTree } from '../contents/image-tree.ts';
import { parseLayer } from '../contents/layer-entries.ts';
import { cleanPath, entryName } from '../contents/names.ts';
import type { ImageSource } from '../source.ts';
import type { TarEntry } from '../tar/entry.ts';
import { draftOf, editInvalid, type ImageDraft } from './draft.ts';
import { alignedHistory, type EditRecord, editTime, layerPlaces } from './history.ts';
import { mergedExecution } from './merge-config.ts';

/** What a rebase works with. */
export interface RebaseOptions {
  /** What the image is built on. */
  readonly oldBase: ImageSource;
  /** What it is to be built on. */
  readonly newBase: ImageSource;
  readonly record: EditRecord;
  readonly signal?: AbortSignal | undefined;
}

/** The names by which an image says what it is built on (image-spec `annotations.md`). */
export const baseAnnotations = {
  name: 'org.opencontainers.image.base.name',
  digest: 'org.opencontainers.image.base.digest',
} as const;

/**
 * Takes an image off its base and puts it on another: its own layers stay as they are, what it had from the old base
 * comes from the new one. Throws ERR_OCI_EDIT_INVALID when the image is not built on the old base, or platforms differ.
 */
export function rebaseImage(image: ImageSource, { oldBase, newBase, record }: RebaseOptions): ImageDraft {
  const draft = draftOf(image);
  const old = draftOf(oldBase);
  const fresh = draftOf(newBase);
  const isBuiltOn = old.layers.every(({ diffId }, index) => draft.layers[index]?.diffId === diffId);
  if (!isBuiltOn)
    throw editInvalid(
      `${image.name} is not built on ${oldBase.name}`,
      'name the base that it was built on, as it was then, by digest if need be',
    );
  const { os, architecture } = fresh.config;
  if (os !== draft.config.os || architecture !== draft.config.architecture)
    throw editInvalid(
      `${newBase.name} is for ${os}/${architecture}, ${image.name} for ${draft.config.os}/${draft.config.architecture}`,
    );
  const config = mergedExecution(draft.config.config ?? {}, {
    oldBase: old.config.config ?? {},
    newBase: fresh.config.config ?? {},
  });
  return {
    manifest: {
      ...draft.manifest,
      annotations: {
        ...draft.manifest.annotations,
        [baseAnnotations.name]: newBase.name,
        [baseAnnotations.digest]: newBase.descriptor.digest,
      },
    },
    layers: [...fresh.layers, ...draft.layers.slice(old.layers.length)],
    config: {
      ...draft.config,
      ...(Object.keys(config).length === 0 ? {} : { config }),
      created: editTime(draft, record),
      history: [...alignedHistory(fresh), ...ownHistory(draft, old)],
    },
  };
}

/** The history behind the base's: from its length on, when it begins with it, else from its own first layer on. */
function ownHistory(draft: ImageDraft, old: ImageDraft): ReturnType<typeof alignedHistory> {
  const history = alignedHistory(draft);
  const base = alignedHistory(old);
  if (JSON.stringify(history.slice(0, base.length)) === JSON.stringify(base))
    return history.slice(base.length);
  const first = layerPlaces(history)[old.layers.length];
  return first === undefined ? [] : history.slice(first);
}

/** A file that both the image and the new base changed. */
export interface RebaseConflict {
  readonly path: string;
  /** What the new base did to the old base's file; the image's own layers win in any case. */
  readonly base: 'added' | 'changed' | 'removed';
}

/**
 * The files that the image's own layers bring or hide, and that are not the same in both bases: what the image
 * decided on the old base may be wrong on the new one. Reads both bases and the image's own layers.
 */
export async function rebaseConflicts(
  image: ImageSource,
  { oldBase, newBase, signal }: RebaseOptions,
): Promise<readonly RebaseConflict[]> {
  const own = await ownPaths(image, oldBase.manifest.layers.length, { signal });
  const before = await readImageTree(oldBase, { signal });
  const after = await readImageTree(newBase, { signal });
  const changes = await compareImageTrees(
    { image: oldBase, root: before },
    { image: newBase, root: after },
    { only: (path) => own.at(path).length > 0, times: false, signal },
  );
  return changes
    .flatMap(({ path, kind }) =>
      own
        // What is gone is told by its top alone; what the image put below it is in question too.
        .at(path)
        .filter((touched) => kind === 'removed' || (touched === path && !own.isDirectory(path)))
        .map((touched) => ({ path: touched, base: kind })),
    )
    .sort((a, b) => comparePaths(a.path, b.path));
}

interface OwnPaths {
  /** The paths that are this one, or below it. */
  at(path: string): readonly string[];
  isDirectory(path: string): boolean;
}

async function ownPaths(
  image: ImageSource,
  from: number,
  { signal }: { readonly signal: AbortSignal | undefined },
): Promise<OwnPaths> {
  const directories = new Set<string>();
  const others = new Set<string>();
  const entry = (header: TarEntry): void => {
    const path = cleanPath(entryName(header));
    const base = path.at(-1) ?? '';
    const parents = path.slice(0, -1);
    if (base === '.wh..wh..opq') others.add(parents.join('/'));
    else if (base.startsWith('.wh.')) others.add([...parents, base.slice('.wh.'.length)].join('/'));
    else (header.type === 'directory' ? directories : others).add(path.join('/'));
  };
  for (const layer of image.manifest.layers.slice(from))
    await parseLayer(image, layer, {
      handler: { entry, data: () => undefined, end: () => undefined },
      signal,
    });
  const all = [...others, ...directories].sort();
  return {
    at: (path) => {
      const first = lowerBound(all, path);
      const found: string[] = [];
      for (let index = first; index < all.length; index += 1) {
        const candidate = all[index] ?? '';
        if (!candidate.startsWith(path)) break;
        if (candidate === path || candidate[path.length] === '/') found.push(candidate);
      }
      return [...new Set(found)];
    },
    isDirectory: (path) => directories.has(path) && !others.has(path),
  };
}

/** Where a text is in a sorted list, or would be. */
function lowerBound(sorted: readonly string[], text: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? '') < text) low = middle + 1;
    else high = middle;
  }
  return low;
}

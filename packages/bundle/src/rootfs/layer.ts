import type { TarEntry } from '@ocijs/image';
import { BundleError } from '../errors.ts';
import { mapId } from '../id-map.ts';
import { type LayerLimits, layerEntriesLimit } from '../limits.ts';
import { type ContentWriter, createContentWriter } from './content.ts';
import { createDirectoryTree } from './directory-tree.ts';
import type { EntryContext } from './entry-context.ts';
import { cleanPath, entryName } from './entry-path.ts';
import { entryFailure } from './failure.ts';
import type { ApplyOptions, ApplyWarning, LayerContext } from './layer-context.ts';
import type { RootfsOperations } from './operations.ts';
import { type EntryStep, stepsAfterContent, stepsBeforeContent } from './steps.ts';

/** Applies one layer; its methods are what a tar parser calls. */
export interface LayerApplier extends Disposable {
  /** How many entries have begun. */
  readonly entries: number;
  entry(header: TarEntry): void;
  data(chunk: Uint8Array): void;
  end(): void;
  /** Call at the end of the layer: gives directories their times and modes. */
  finish(): void;
  /** Closes everything that is open. */
  [Symbol.dispose](): void;
}

/** Options of {@link createLayerApplier}. */
export interface LayerApplierOptions extends ApplyOptions {
  readonly operations: RootfsOperations;
  readonly onWarning?: (warning: ApplyWarning) => void;
  readonly limits?: Pick<LayerLimits, 'entries'> | undefined;
}

/**
 * Starts to apply a layer to the root file system at `rootfs`. Names are taken relative to it whatever they are:
 * `/etc/x` and `../../etc/x` are `etc/x` inside, and links on the way are followed as a process with that root
 * would. Nothing outside is read or changed. Nobody else may change the directory meanwhile.
 *
 * The methods throw ERR_OCI_LAYER_INVALID, ERR_OCI_LAYER_ESCAPE, ERR_OCI_UNPACK_DENIED and ERR_OCI_UNPACK_FAILED;
 * the root file system is in an undefined state then.
 */
export function createLayerApplier(rootfs: string, options: LayerApplierOptions): LayerApplier {
  const { operations, onWarning } = options;
  const limit = options.limits?.entries ?? layerEntriesLimit;
  const tree = createDirectoryTree(operations, rootfs, { unlock: options.rootless });
  const layer: LayerContext = {
    ...options,
    tree,
    rootOwner: rootOwner(options),
    attributes: true,
    warn: (warning) => onWarning?.(warning),
  };
  let entries = 0;
  let current: EntryContext | undefined;
  let content: ContentWriter | undefined;

  function runSteps(steps: readonly EntryStep[], entry: EntryContext): 'done' | undefined {
    for (const step of steps) if (step.run(entry) === 'done') return 'done';
    return undefined;
  }

  function guarded(header: TarEntry, effect: () => void): void {
    try {
      effect();
    } catch (error) {
      throw entryFailure(error, { entry: header.name, rootless: layer.rootless });
    }
  }

  function entry(header: TarEntry): void {
    entries += 1;
    if (entries > limit) {
      throw new BundleError('ERR_OCI_LAYER_INVALID', `the layer has more than ${limit} entries`, { limit });
    }
    guarded(header, () => {
      tree.trim();
      const started = startEntry(layer, header);
      if (runSteps(stepsBeforeContent, started) === 'done') return;
      current = started;
      if (started.fd !== undefined) content = createContentWriter(operations, started.fd, header);
    });
  }

  function end(): void {
    const ended = current;
    if (ended === undefined) return;
    guarded(ended.header, () => {
      content?.finish();
      // A hard link has no metadata of its own: its file has had it.
      if (ended.header.type !== 'link') runSteps(stepsAfterContent, ended);
    });
    closeCurrent();
  }

  function closeCurrent(): void {
    const fd = current?.fd;
    current = undefined;
    content = undefined;
    if (fd !== undefined) operations.close(fd);
  }

  return {
    get entries() {
      return entries;
    },
    entry,
    data: (chunk) => {
      const { header } = current ?? {};
      if (header !== undefined) guarded(header, () => content?.write(chunk));
    },
    end,
    finish: () => {
      try {
        tree.finish();
      } catch (error) {
        throw entryFailure(error, { entry: '.', rootless: layer.rootless });
      }
    },
    [Symbol.dispose]: () => {
      closeCurrent();
      tree.close();
    },
  };
}

function startEntry(layer: LayerContext, header: TarEntry): EntryContext {
  const path = cleanPath(entryName(header));
  if (path.length === 0 && header.type !== 'directory') {
    throw new BundleError(
      'ERR_OCI_LAYER_ESCAPE',
      `the layer replaces the root directory by a ${header.type}`,
      {
        entry: header.name,
        actual: header.type,
      },
    );
  }
  return {
    layer,
    header,
    path,
    base: path.at(-1) ?? '.',
    parent: layer.tree.root,
    directory: undefined,
    linkSource: undefined,
    reused: false,
    fresh: false,
    settled: false,
    fd: undefined,
  };
}

function rootOwner({ rootless, uidMap, gidMap }: ApplyOptions): {
  readonly uid: number;
  readonly gid: number;
} {
  if (rootless) return { uid: 0, gid: 0 };
  return {
    uid: mapId(0, { mappings: uidMap, kind: 'user' }),
    gid: mapId(0, { mappings: gidMap, kind: 'group' }),
  };
}

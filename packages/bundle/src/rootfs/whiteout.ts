import { BundleError } from '../errors.ts';
import type { DirectoryNode } from './directory-tree.ts';
import type { LayerContext } from './layer-context.ts';
import { findDirectory } from './parents.ts';
import { removeTree } from './remove.ts';

const prefix = '.wh.';
const opaqueName = '.wh..wh..opq';

/** A whiteout: hides one name of the layers below, or all that they have in a directory. */
export type Whiteout = { readonly kind: 'name'; readonly name: string } | { readonly kind: 'opaque' };

/**
 * Reads the last component of an entry's name (image-spec `layer.md`, "Whiteouts"); undefined for other entries.
 * The type of the entry does not matter. Throws ERR_OCI_LAYER_INVALID for a bare `.wh.`, and
 * ERR_OCI_LAYER_ESCAPE for the whiteout of `.` and of `..`.
 */
export function parseWhiteout(base: string): Whiteout | undefined {
  if (!base.startsWith(prefix)) return undefined;
  if (base === opaqueName) return { kind: 'opaque' };
  const name = base.slice(prefix.length);
  if (name === '') {
    throw new BundleError('ERR_OCI_LAYER_INVALID', 'the whiteout ".wh." names nothing', { entry: base });
  }
  if (name === '.' || name === '..') {
    throw new BundleError(
      'ERR_OCI_LAYER_ESCAPE',
      `the whiteout ${JSON.stringify(base)} would remove a directory above it`,
      {
        entry: base,
      },
    );
  }
  return { kind: 'name', name };
}

/**
 * Hides what earlier layers have at the place. What this layer made stays, wherever in the layer the whiteout is.
 * The parent's links are followed inside the root. A place that does not exist is fine.
 */
export function applyWhiteout(layer: LayerContext, whiteout: Whiteout, parents: readonly string[]): void {
  const parent = findDirectory(layer, parents);
  if (parent === undefined) return;
  if (whiteout.kind === 'opaque') removeLower(layer, parent);
  else removeLowerName(layer, { parent, name: whiteout.name });
}

function removeLower(layer: LayerContext, node: DirectoryNode): void {
  if (node.created) return;
  const { operations, tree } = layer;
  tree.touch(node);
  const names = operations.list(tree.open(node));
  operations.hideLower?.(tree.open(node));
  for (const name of names) removeLowerName(layer, { parent: node, name });
}

function removeLowerName(
  layer: LayerContext,
  { parent, name }: { readonly parent: DirectoryNode; readonly name: string },
): void {
  const { operations, tree } = layer;
  if (!tree.isUpper(parent, name)) {
    tree.touch(parent);
    removeTree(operations, { directory: tree.open(parent), name }, { unlock: layer.rootless });
    tree.forget(parent, name);
  } else if (operations.status({ directory: tree.open(parent), name })?.kind === 'directory') {
    removeLower(layer, tree.adopt(parent, name));
  }
}

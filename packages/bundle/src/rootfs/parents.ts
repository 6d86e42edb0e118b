import { BundleError } from '../errors.ts';
import type { DirectoryNode } from './directory-tree.ts';
import { hasErrno } from './failure.ts';
import type { LayerContext } from './layer-context.ts';
import { removeTree } from './remove.ts';
import { resolveDirectory } from './resolve.ts';

/** Directories that no entry describes look the same in every unpack: root's, mode 0755, the beginning of 1970. */
const implicitMode = 0o755;
const implicitTimes = { atimeNs: 0n, mtimeNs: 0n } as const;

/**
 * The directory at `components`, links followed inside the root. What is missing is created; a file of an earlier
 * layer in its place gives way. Throws ERR_OCI_LAYER_INVALID when it is a file of this layer.
 */
export function makeDirectories(layer: LayerContext, components: readonly string[]): DirectoryNode {
  const { node, missing } = resolveDirectory(layer.operations, layer.tree, components);
  return missing.reduce((parent, name) => makeDirectory(layer, { parent, name }), node);
}

/** The directory at `components` if it is there, links followed inside the root. Nothing is created. */
export function findDirectory(layer: LayerContext, components: readonly string[]): DirectoryNode | undefined {
  const { node, missing } = resolveDirectory(layer.operations, layer.tree, components);
  return missing.length === 0 ? node : undefined;
}

function makeDirectory(
  layer: LayerContext,
  { parent, name }: { readonly parent: DirectoryNode; readonly name: string },
): DirectoryNode {
  const { operations, tree } = layer;
  tree.touch(parent);
  const entry = { directory: tree.open(parent), name };
  try {
    operations.makeDirectory(entry);
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error;
    if (tree.isUpper(parent, name)) {
      throw new BundleError(
        'ERR_OCI_LAYER_INVALID',
        `the layer has ${JSON.stringify(name)} as a file and as a directory`,
        {
          path: name,
        },
      );
    }
    removeTree(operations, entry, { unlock: layer.rootless });
    operations.makeDirectory(entry);
  }
  if (!layer.rootless) operations.setOwner(entry, layer.rootOwner);
  operations.setMode(entry, implicitMode);
  tree.markUpper(parent, name);
  const node = tree.adopt(parent, name, { created: true });
  node.times = implicitTimes;
  return node;
}

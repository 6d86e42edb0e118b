import { posix } from 'node:path';
import type { LayeredTree, TreeFile } from '@ocijs/bundle';
import { isDirectoryFile } from '../../copy/select-files.ts';
import { BuildError } from '../../errors.ts';
import { MAX_NODE_DIRECTORY_DEPTH } from '../../limits.ts';
import { isLink, linkOutside } from '../installed/module-finder.ts';
import { insideRoot } from '../project/paths.ts';
import { isSecretOrTool } from './left-out.ts';
import type { NodeFile } from './node-file.ts';

export interface WalkFilesOptions {
  /** Links may lead to files in here. */
  readonly within: string;
  /** What takes no part; of a directory, `enter` says whether something in it may. */
  readonly leavesOut: (path: string, file: TreeFile) => boolean;
  readonly enters?: ((path: string) => boolean) | undefined;
  /** Programs that are started by name: whoever installed them had to make them executable. */
  readonly executables?: ReadonlySet<string> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The regular files and links of a directory, without what is in no image. Sockets, pipes and devices are passed over.
 *
 * @throws BuildError `ERR_OCI_NODE_LINK_OUTSIDE` for a link that leads out of `within`.
 */
export function walkFiles(
  tree: LayeredTree,
  directory: string,
  options: WalkFilesOptions,
): readonly NodeFile[] {
  const { within, leavesOut, enters = () => false, executables = new Set(), signal } = options;
  const found: NodeFile[] = [];
  const visit = (parent: TreeFile, depth: number): void => {
    signal?.throwIfAborted();
    if (depth > MAX_NODE_DIRECTORY_DEPTH)
      throw new BuildError('ERR_OCI_NODE_PROJECT_INVALID', `${parent.path} is too deep`, {
        path: parent.path,
        limit: MAX_NODE_DIRECTORY_DEPTH,
      });
    for (const [name, file] of tree.children(parent)) {
      if (isSecretOrTool(name)) continue;
      const { path, status } = file;
      const isLeftOut = leavesOut(path, file);
      if (isDirectoryFile(file)) {
        if (!isLeftOut || enters(path)) visit(file, depth + 1);
      } else if (isLeftOut) continue;
      else if (isLink(file)) found.push({ kind: 'link', path, target: checkLink(tree, file, within) });
      else if ((status.mode & 0o170000) === 0o100000)
        found.push({
          kind: 'file',
          path,
          file,
          isExecutable: (file.mode & 0o111) !== 0 || executables.has(path),
        });
    }
  };
  const { file: start } = tree.resolve(directory, { followLast: true });
  if (start !== undefined && isDirectoryFile(start)) visit(start, 0);
  return found;
}

function checkLink(tree: LayeredTree, file: TreeFile, within: string): string {
  const target = tree.readLink(file);
  const place = insideRoot(posix.dirname(file.path), target);
  const isInside =
    place !== undefined && (within === '.' || place === within || place.startsWith(`${within}/`));
  if (!isInside)
    throw linkOutside(
      file.path,
      `is a link to ${target}, which is not in the image`,
      'replace it by what it leads to, or name it in .dockerignore',
    );
  return target;
}

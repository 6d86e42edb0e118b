import { posix } from 'node:path';
import type { LayeredTree, TreeFile } from '@ocijs/bundle';
import { isDirectoryFile } from '../../copy/select-files.ts';
import { BuildError } from '../../errors.ts';
import { insideRoot, isPackageName, join, upwards } from '../project/paths.ts';

/** A package that Node finds. */
export interface FoundModule {
  /** Where it is found. */
  readonly path: string;
  /** Where it is: another place when what is found is a link. */
  readonly directory: string;
}

/** Finds packages as Node does, by the directories `node_modules` upwards from whoever needs them. */
export interface ModuleFinder {
  /** @throws BuildError `ERR_OCI_NODE_LINK_OUTSIDE` for a link that leaves the root. */
  find(from: string, name: string): FoundModule | undefined;
}

export function createModuleFinder(tree: LayeredTree): ModuleFinder {
  const known = new Map<string, boolean>();

  /** Most directories have no `node_modules`. */
  function hasModules(directory: string): boolean {
    const earlier = known.get(directory);
    if (earlier !== undefined) return earlier;
    const path = join(directory, 'node_modules');
    const { file } = tree.resolve(path, { followLast: false });
    if (file !== undefined && isLink(file))
      throw linkOutside(
        path,
        'is a link',
        'it has to be a directory: install the packages in the project itself',
      );
    const has = file !== undefined && isDirectoryFile(file);
    known.set(directory, has);
    return has;
  }

  function look(path: string): FoundModule | undefined {
    const { file } = tree.resolve(path, { followLast: false });
    if (file === undefined) return undefined;
    if (!isLink(file)) return isDirectoryFile(file) ? { path: file.path, directory: file.path } : undefined;
    const target = tree.readLink(file);
    if (insideRoot(posix.dirname(file.path), target) === undefined)
      throw linkOutside(
        file.path,
        `is a link to ${target}, outside of the project`,
        'make it a package of the workspace, or install a copy (npm: --install-links; pnpm: enableGlobalVirtualStore=false)',
      );
    const { file: real } = tree.resolve(file.path, { followLast: true });
    return real !== undefined && isDirectoryFile(real)
      ? { path: file.path, directory: real.path }
      : undefined;
  }

  return {
    find(from, name) {
      if (!isPackageName(name)) return undefined;
      for (const directory of upwards(from)) {
        if (posix.basename(directory) === 'node_modules' || !hasModules(directory)) continue;
        const found = look(join(directory, `node_modules/${name}`));
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}

export function isLink({ status }: Pick<TreeFile, 'status'>): boolean {
  return (status.mode & 0o170000) === 0o120000;
}

export function linkOutside(path: string, why: string, hint: string): BuildError {
  return new BuildError('ERR_OCI_NODE_LINK_OUTSIDE', `${path} ${why}`, { path, hint });
}

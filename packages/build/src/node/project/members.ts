import type { LayeredTree, TreeFile } from '@ocijs/bundle';
import { isDirectoryFile } from '../../copy/select-files.ts';
import { compilePattern } from '../../ignore/pattern.ts';
import { MAX_NODE_DIRECTORY_DEPTH } from '../../limits.ts';
import { readManifest } from './package-manifest.ts';
import { insideRoot } from './paths.ts';

/** The projects that the patterns of `workspaces` mean: their directories by the names of their packages. */
export function findMembers(tree: LayeredTree, patterns: readonly string[]): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  if (patterns.length === 0) return members;
  const clean = (pattern: string): string => insideRoot('.', pattern) ?? '.';
  const chosen = patterns.filter((one) => !one.startsWith('!')).map((one) => compilePattern(clean(one)));
  const excepted = patterns
    .filter((one) => one.startsWith('!'))
    .map((one) => compilePattern(clean(one.slice(1))));
  const visit = (directory: TreeFile, depth: number): void => {
    for (const [name, child] of tree.children(directory)) {
      if (!isDirectoryFile(child) || name === 'node_modules' || name.startsWith('.')) continue;
      const isMeant =
        chosen.some((matches) => matches(child.path)) && !excepted.some((matches) => matches(child.path));
      const manifest = isMeant ? readManifest(tree, child.path) : undefined;
      if (manifest?.name !== undefined) members.set(manifest.name, child.path);
      if (depth < MAX_NODE_DIRECTORY_DEPTH) visit(child, depth + 1);
    }
  };
  const { file: root } = tree.resolve('.', { followLast: true });
  if (root !== undefined) visit(root, 1);
  return members;
}

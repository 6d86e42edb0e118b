import { posix } from 'node:path';
import type { LayeredTree } from '@ocijs/bundle';
import { isDirectoryFile } from '../../copy/select-files.ts';
import type { Installation, InstalledPackage } from '../installed/installation.ts';
import { isLink } from '../installed/module-finder.ts';
import { insideRoot, join } from '../project/paths.ts';

export interface ModuleLinksOptions {
  readonly installation: Installation;
  /** The project's directory. */
  readonly directory: string;
}

/**
 * The links of `node_modules`, made from what is in the image and not copied: those by which packages find each other, the
 * programs of `.bin`, and the packages that pnpm shows to all others.
 */
export function moduleLinks(
  tree: LayeredTree,
  { installation, directory }: ModuleLinksOptions,
): ReadonlyMap<string, string> {
  const byPlace = new Map(installation.packages.map((one) => [one.directory, one]));
  const links = new Map([...installation.links, ...hoisted(tree, installation), ...shown(tree, byPlace)]);
  const programs = [...new Set(['.', directory])].flatMap((place) =>
    programLinks(join(place, 'node_modules'), { links, byPlace }),
  );
  return new Map([...links, ...programs]);
}

/** What lies in the root's `node_modules` as a link, though nobody named it (pnpm's `public-hoist-pattern`). */
function shown(
  tree: LayeredTree,
  byPlace: ReadonlyMap<string, InstalledPackage>,
): readonly (readonly [string, string])[] {
  const { file } = tree.resolve('node_modules', { followLast: false });
  if (file === undefined || !isDirectoryFile(file)) return [];
  const scopes = tree.children(file).filter(([name]) => name.startsWith('@'));
  const places = [file, ...scopes.map(([, scope]) => scope).filter(isDirectoryFile)];
  return places.flatMap((place) =>
    tree.children(place).flatMap(([, child]) => {
      if (!isLink(child)) return [];
      const from = posix.dirname(child.path);
      const target = insideRoot(from, tree.readLink(child));
      if (target === undefined || !byPlace.has(target)) return [];
      return [[child.path, posix.relative(from, target)] as const];
    }),
  );
}

const virtualStore = 'node_modules/.pnpm';

/** What pnpm lets every package find (`.pnpm/node_modules`): of each name the first, whatever was installed for development. */
function hoisted(tree: LayeredTree, { packages }: Installation): readonly (readonly [string, string])[] {
  const shared = `${virtualStore}/node_modules`;
  if (tree.resolve(shared, { followLast: false }).file === undefined) return [];
  const first = new Map<string, string>();
  for (const { directory } of packages) {
    const [, name] = /^node_modules\/\.pnpm\/[^/]+\/node_modules\/(.+)$/.exec(directory) ?? [];
    if (name !== undefined && !first.has(name)) first.set(name, directory);
  }
  return [...first].map(([name, directory]) => {
    const path = `${shared}/${name}`;
    return [path, posix.relative(posix.dirname(path), directory)] as const;
  });
}

/** A link in `.bin` for each program of the packages in a `node_modules`; of two of one name, the first package's. */
function programLinks(
  modules: string,
  {
    links,
    byPlace,
  }: { readonly links: ReadonlyMap<string, string>; readonly byPlace: ReadonlyMap<string, InstalledPackage> },
): readonly (readonly [string, string])[] {
  const isHere = (path: string): boolean =>
    path.startsWith(`${modules}/`) && /^(?:@[^/]+\/)?[^/.@][^/]*$/.test(path.slice(modules.length + 1));
  const here = [...byPlace.keys()].filter(isHere).map((path) => [path, path] as const);
  const linked = [...links]
    .filter(([path]) => isHere(path))
    .map(([path, target]) => [path, posix.join(posix.dirname(path), target)] as const);
  const programs = new Map<string, string>();
  for (const [path, place] of [...here, ...linked].sort(([a], [b]) => (a < b ? -1 : 1)))
    for (const [name, file] of byPlace.get(place)?.manifest.bin ?? []) {
      const target = insideRoot(path, file);
      const program = posix.basename(name);
      const isInside = target?.startsWith(`${path}/`) ?? false;
      if (isInside && target !== undefined && /^[^./][^/]*$/.test(program) && !programs.has(program))
        programs.set(program, posix.relative(`${modules}/.bin`, target));
    }
  return [...programs].map(([name, target]) => [`${modules}/.bin/${name}`, target] as const);
}

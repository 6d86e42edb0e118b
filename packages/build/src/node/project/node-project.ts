import { lstat, realpath } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { type LayeredTree, openLayeredTree } from '@ocijs/bundle';
import { readTreeFile } from '../../context/read-tree-file.ts';
import { BuildError } from '../../errors.ts';
import { MAX_NODE_LOCK_BYTES } from '../../limits.ts';
import type { NodeLock, PackageManager } from '../lock/node-lock.ts';
import { parseNpmLock } from '../lock/npm-lock.ts';
import { parseYarnClassicLock } from '../lock/yarn-classic-lock.ts';
import { findMembers } from './members.ts';
import { type PackageManifest, readManifest } from './package-manifest.ts';

/** A Node project on this host. Disposing closes it. */
export interface NodeProject extends Disposable {
  /** From the root of the repository on, which is where the lock file is. No link leads out of it. */
  readonly tree: LayeredTree;
  /** Where the project is in the tree; `.` unless it is part of a workspace. */
  readonly directory: string;
  readonly manifest: PackageManifest;
  readonly lock: NodeLock;
}

/** Lock files, those first that their manager prefers. */
const lockFiles: readonly (readonly [file: string, manager: PackageManager])[] = [
  ['npm-shrinkwrap.json', 'npm'],
  ['package-lock.json', 'npm'],
  ['pnpm-lock.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
];

/** What each manager leaves in `node_modules`. */
const traces: Readonly<Record<PackageManager, readonly string[]>> = {
  npm: ['.package-lock.json'],
  pnpm: ['.modules.yaml', '.pnpm'],
  yarn: ['.yarn-integrity', '.yarn-state.yml'],
};

/**
 * Opens a directory with a `package.json`, and the lock file that is there or, for a project of a workspace, above it.
 *
 * @throws BuildError `ERR_OCI_NODE_PROJECT_INVALID`, `ERR_OCI_NODE_LOCK_MISSING`, `ERR_OCI_NODE_LOCK_INVALID`, and
 * `ERR_OCI_NODE_LOCK_DRIFT` when the lock file is not of this `package.json`.
 */
export async function openNodeProject(path: string): Promise<NodeProject> {
  const place = await realpath(path).catch((cause: unknown) => {
    throw invalid(path, 'does not exist', cause);
  });
  const root = await findRoot(place, path);
  const directory = relative(root, place).split(sep).join('/') || '.';
  const tree = openLayeredTree([root], 'trusted');
  try {
    const manifest = readManifest(tree, directory);
    if (manifest === undefined) throw invalid(path, 'has no package.json');
    const lock = await readLock(tree, readManifest(tree, '.') ?? manifest);
    if (lock.project(directory, manifest) === undefined)
      throw lockMissing(path, `and the ${lock.file} of ${root} does not have it`);
    checkDrift(lock, directory, manifest);
    return { tree, directory, manifest, lock, [Symbol.dispose]: () => tree[Symbol.dispose]() };
  } catch (error) {
    tree[Symbol.dispose]();
    throw error;
  }
}

/** Throws `ERR_OCI_NODE_LOCK_DRIFT` when the lock file is not of the `package.json` of a project. */
export function checkDrift(lock: NodeLock, directory: string, manifest: PackageManifest): void {
  const drift = lock.drift(directory, manifest);
  if (drift === undefined) return;
  const of = directory === '.' ? '' : ` of ${directory}`;
  throw new BuildError('ERR_OCI_NODE_LOCK_DRIFT', `${lock.file} is not of the package.json${of}: ${drift}`, {
    path: lock.file,
    hint: `write it anew with \`${lock.manager} install\``,
  });
}

/** The directory that has the lock file: the project's own, or one above it. */
async function findRoot(place: string, path: string): Promise<string> {
  if (!(await exists(join(place, 'package.json')))) throw invalid(path, 'has no package.json');
  for (let at = place; ; at = dirname(at)) {
    for (const [file] of lockFiles) if (await exists(join(at, file))) return at;
    if (at === dirname(at)) throw lockMissing(path, 'nor has a directory above it');
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return false;
      throw error;
    },
  );
}

async function readLock(tree: LayeredTree, root: PackageManifest): Promise<NodeLock> {
  const isThere = (name: string): boolean => tree.resolve(name, { followLast: true }).file !== undefined;
  const found = lockFiles.filter(([file]) => isThere(file));
  const managers = new Set(found.map(([, manager]) => manager));
  const asked = /^[a-z]+/.exec(root.packageManager ?? '')?.[0];
  const chosen =
    [...managers].find((manager) => manager === asked || managers.size === 1) ??
    [...managers].find((manager) => traces[manager].some((name) => isThere(`node_modules/${name}`)));
  const [file, manager] = found.find((one) => one[1] === chosen) ?? [];
  if (file === undefined || manager === undefined)
    throw new BuildError(
      'ERR_OCI_NODE_LOCK_INVALID',
      `there are several lock files: ${found.map(([name]) => name).join(', ')}`,
      { hint: 'remove those that are not used, or name the manager in packageManager of package.json' },
    );
  const code = 'ERR_OCI_NODE_LOCK_INVALID';
  const bytes = readTreeFile(tree, file, { limit: MAX_NODE_LOCK_BYTES, code }) ?? Buffer.alloc(0);
  if (manager === 'npm') return parseNpmLock(bytes, file);
  // Who reads no YAML need not wait until its library is loaded.
  if (manager === 'pnpm') return (await import('../lock/pnpm-lock.ts')).parsePnpmLock(bytes, file);
  if (/^__metadata:/m.test(bytes.toString('latin1')))
    return (await import('../lock/yarn-berry-lock.ts')).parseYarnBerryLock(bytes, file, { root });
  return parseYarnClassicLock(bytes, file, { root, members: findMembers(tree, root.workspaces) });
}

function lockMissing(path: string, why: string): BuildError {
  return new BuildError('ERR_OCI_NODE_LOCK_MISSING', `${path} has no lock file, ${why}`, {
    path,
    hint: 'write one with `npm install`, `pnpm install` or `yarn install`: it says what goes into the image',
  });
}

function invalid(path: string, why: string, cause?: unknown): BuildError {
  return new BuildError('ERR_OCI_NODE_PROJECT_INVALID', `${path} ${why}`, {
    path,
    ...(cause === undefined ? {} : { cause }),
    hint: 'give the directory of a Node project',
  });
}

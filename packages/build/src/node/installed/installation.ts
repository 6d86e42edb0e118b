import { posix } from 'node:path';
import { BuildError } from '../../errors.ts';
import { MAX_NODE_PACKAGES } from '../../limits.ts';
import {
  type LockedDependency,
  type LockedPackage,
  type NodeLock,
  noConstraints,
} from '../lock/node-lock.ts';
import { checkDrift, type NodeProject } from '../project/node-project.ts';
import { type PackageManifest, type PlatformConstraints, readManifest } from '../project/package-manifest.ts';
import { createModuleFinder, type FoundModule } from './module-finder.ts';
import { isConstrained, type NodeTarget, runsOn } from './target.ts';

/** A package that goes into the image, from where it is installed. */
export interface InstalledPackage {
  /** Relative to the root. */
  readonly directory: string;
  readonly manifest: PackageManifest;
  /** `project`: of this repository, known to the lock file as such. */
  readonly origin: LockedPackage['origin'] | 'project';
}

/** What a project needs in production. */
export interface Installation {
  readonly packages: readonly InstalledPackage[];
  /** The links in `node_modules` by which packages find each other: the relative target by the place. */
  readonly links: ReadonlyMap<string, string>;
  readonly warnings: readonly string[];
}

export interface FindInstallationOptions {
  readonly target: NodeTarget;
  /** For messages: `linux/amd64`. */
  readonly platform: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Finds what the lock file names for production in `node_modules`, as Node will find it. Development dependencies, and what is
 * for other platforms, take no part; whatever else lies in `node_modules` neither.
 *
 * @throws BuildError `ERR_OCI_NODE_NOT_INSTALLED` for what is missing or of another version, `ERR_OCI_NODE_PLATFORM_MISMATCH`
 * where only packages of other platforms are installed, `ERR_OCI_NODE_LINK_OUTSIDE`.
 */
export async function findInstallation(
  { tree, lock, directory, manifest }: NodeProject,
  options: FindInstallationOptions,
): Promise<Installation> {
  const { target, platform, signal } = options;
  const finder = createModuleFinder(tree);
  const packages = new Map<string, InstalledPackage>();
  const links = new Map<string, string>();
  const warnings: string[] = [];
  const pending: Dependent[] = [];

  function add(one: InstalledPackage, locked: LockedPackage | undefined): void {
    if (packages.has(one.directory)) return;
    packages.set(one.directory, one);
    if (packages.size > MAX_NODE_PACKAGES)
      throw new BuildError(
        'ERR_OCI_NODE_PROJECT_INVALID',
        `there are more than ${MAX_NODE_PACKAGES} packages`,
        {
          limit: MAX_NODE_PACKAGES,
        },
      );
    if (locked !== undefined) pending.push({ ...one, locked });
  }

  /** Takes a dependency along; false when it is not there, which only optional ones may be. */
  async function take(from: Dependent, dependency: LockedDependency): Promise<boolean> {
    const { name, id, isOptional } = dependency;
    const locked = id === undefined ? undefined : lock.package(id);
    if (id !== undefined && locked === undefined)
      throw new BuildError('ERR_OCI_NODE_LOCK_INVALID', `${lock.file} names ${id} and does not have it`, {
        path: lock.file,
      });
    if (locked !== undefined && isOptional && !(await runsOn(locked.constraints, target))) return false;
    const found = finder.find(from.directory, name);
    // It came with the package, and is one of its files: lock files have it as others, or not at all.
    if (found !== undefined && isBundled(from, found) && id !== found.directory) return true;
    if (found === undefined) {
      if (isOptional) return false;
      throw notInstalled(lock, `${name} is not in node_modules`, found);
    }
    const installed = readManifest(tree, found.directory);
    if (installed === undefined) throw notInstalled(lock, `${name} has no package.json`, found);
    if (!(await runsOn(installed.constraints, target))) {
      if (isOptional) return false;
      throw platformMismatch(lock, `${name} does not run on ${platform}`, target);
    }
    const entry = locked ?? openEntry(lock, installed);
    if (entry.directory === undefined) checkVersion(lock, { entry, installed, found, name });
    if (found.path !== found.directory)
      links.set(found.path, posix.relative(posix.dirname(found.path), found.directory));
    if (entry.directory === undefined)
      add({ directory: found.directory, manifest: installed, origin: entry.origin }, entry);
    else {
      checkDrift(lock, found.directory, installed);
      const project = lock.project(found.directory, installed) ?? entry;
      if (found.directory !== directory)
        add({ directory: found.directory, manifest: installed, origin: 'project' }, project);
    }
    return true;
  }

  const constraintsOf = ({ id }: Pick<LockedDependency, 'id'>): PlatformConstraints =>
    (id === undefined ? undefined : lock.package(id)?.constraints) ?? noConstraints;

  if (tree.resolve('.pnp.cjs', { followLast: true }).file !== undefined)
    throw new BuildError(
      'ERR_OCI_NODE_NOT_INSTALLED',
      "the packages are installed as Plug'n'Play (.pnp.cjs)",
      {
        path: '.pnp.cjs',
        hint: 'install them in node_modules: `nodeLinker: node-modules` in .yarnrc.yml, then `yarn install`',
      },
    );
  const own = lock.project(directory, manifest);
  if (own !== undefined) pending.push({ directory, manifest, locked: own });
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    signal?.throwIfAborted();
    const missing: LockedDependency[] = [];
    let isServed = false;
    for (const dependency of next.locked.dependencies) {
      const isThere = await take(next, dependency);
      if (!dependency.isOptional) continue;
      if (!isThere) missing.push(dependency);
      else if (isConstrained(constraintsOf(dependency))) isServed = true;
    }
    const who = next.locked.name ?? manifest.name ?? 'the project';
    for (const { name, id } of missing) {
      const constraints = constraintsOf({ id });
      // npm forgets optional packages of other platforms now and then (npm/cli#4828).
      if (id === undefined || !(await runsOn(constraints, target))) continue;
      // yarn 1 does not write down what packages are for.
      if (!isConstrained(constraints) && lock.manager !== 'yarn')
        warnings.push(`${name}, an optional dependency of ${who}, is not installed and not in the image`);
      else if (isConstrained(constraints) && !isServed)
        throw platformMismatch(lock, `of ${who}, nothing for ${platform} is installed (${name})`, target);
    }
  }
  return {
    packages: [...packages.values()].sort((a, b) => (a.directory < b.directory ? -1 : 1)),
    links,
    warnings,
  };
}

/** Whoever needs packages. */
interface Dependent extends Pick<InstalledPackage, 'directory' | 'manifest'> {
  readonly locked: LockedPackage;
}

function isBundled({ directory, manifest }: Dependent, found: FoundModule): boolean {
  return manifest.hasBundledDependencies && found.directory.startsWith(`${directory}/node_modules/`);
}

/** Where the lock file does not tell which of a name it is, what is installed has to be one of them. */
function openEntry(lock: NodeLock, { name = '', version }: PackageManifest): LockedPackage {
  const all = lock.named(name);
  const [first] = all;
  if (first === undefined)
    throw new BuildError('ERR_OCI_NODE_LOCK_DRIFT', `${lock.file} has no ${name}`, {
      path: lock.file,
      hint: `write it anew with \`${lock.manager} install\``,
    });
  return all.find((one) => one.version === version) ?? first;
}

function checkVersion(
  lock: NodeLock,
  {
    entry,
    installed,
    found,
    name,
  }: {
    readonly entry: LockedPackage;
    readonly installed: PackageManifest;
    readonly found: FoundModule;
    readonly name: string;
  },
): void {
  const isOther = entry.name !== undefined && installed.name !== entry.name;
  if (isOther)
    throw notInstalled(
      lock,
      `${name} is ${installed.name ?? 'without a name'} in node_modules, and ${entry.name} in ${lock.file}`,
      found,
    );
  if (entry.version !== undefined && installed.version !== entry.version)
    throw notInstalled(
      lock,
      `${name} is of version ${installed.version ?? 'unknown'} in node_modules, and ${entry.version} in ${lock.file}`,
      found,
    );
}

const installs = { npm: 'npm ci', pnpm: 'pnpm install --frozen-lockfile', yarn: 'yarn install' } as const;

function notInstalled(lock: NodeLock, message: string, found: FoundModule | undefined): BuildError {
  return new BuildError('ERR_OCI_NODE_NOT_INSTALLED', message, {
    ...(found === undefined ? {} : { path: found.directory }),
    hint: `install what the lock file says with \`${installs[lock.manager]}\`${lock.manager === 'yarn' ? ', with nodeLinker: node-modules' : ''}`,
  });
}

/** What is installed is for others than the image. */
export function platformMismatch(
  { manager }: Pick<NodeLock, 'manager'>,
  message: string,
  { os, cpu }: Pick<NodeTarget, 'os' | 'cpu'>,
): BuildError {
  const how = {
    npm: `\`npm ci --os=${os} --cpu=${cpu}\``,
    pnpm: 'supportedArchitectures in pnpm-workspace.yaml',
    yarn: 'supportedArchitectures in .yarnrc.yml',
  } as const;
  return new BuildError('ERR_OCI_NODE_PLATFORM_MISMATCH', message, {
    hint: `install for that platform (${how[manager]}); what scripts compile has to be installed on it`,
  });
}

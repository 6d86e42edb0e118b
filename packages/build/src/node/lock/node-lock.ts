import { BuildError } from '../../errors.ts';
import type { PackageManifest, PlatformConstraints } from '../project/package-manifest.ts';

/** The programs that write lock files. */
export type PackageManager = 'npm' | 'pnpm' | 'yarn';

/** What a package needs. */
export interface LockedDependency {
  /** The name of its directory in `node_modules`. */
  readonly name: string;
  /** Its id in the lock file; `undefined` where the lock file leaves it open which one of that name it is. */
  readonly id: string | undefined;
  readonly isOptional: boolean;
}

/** A package as a lock file has it. */
export interface LockedPackage {
  /** Unique in the lock file. */
  readonly id: string;
  readonly name: string | undefined;
  /** What is installed has to have it; `undefined` where the lock file does not tell. */
  readonly version: string | undefined;
  /** `registry`: published and never changed again; `other`: from git, an address, an archive or a directory. */
  readonly origin: 'registry' | 'other';
  /** Of a project of the same repository: where it is, relative to the root. */
  readonly directory: string | undefined;
  readonly constraints: PlatformConstraints;
  readonly dependencies: readonly LockedDependency[];
}

/** A lock file. */
export interface NodeLock {
  readonly manager: PackageManager;
  /** The name of the file. */
  readonly file: string;
  /** The directories of the projects of the repository but that of the root, relative to it. */
  readonly members: readonly string[];
  /** A project of the repository and what it needs in production; `undefined` when the lock file does not know it. */
  project(directory: string, manifest: PackageManifest): LockedPackage | undefined;
  package(id: string): LockedPackage | undefined;
  /** All packages of a name. */
  named(name: string): readonly LockedPackage[];
  /** The first dependency that `package.json` asks for and the lock file does not have like that, in words. */
  drift(directory: string, manifest: PackageManifest): string | undefined;
}

export const noConstraints: PlatformConstraints = { os: [], cpu: [], libc: [] };

export function lockInvalid(
  file: string,
  why: string,
  { cause, hint }: { readonly cause?: unknown; readonly hint?: string } = {},
): BuildError {
  return new BuildError('ERR_OCI_NODE_LOCK_INVALID', `${file} ${why}`, {
    path: file,
    ...(cause === undefined ? {} : { cause }),
    ...(hint === undefined ? {} : { hint }),
  });
}

/** All that `package.json` asks for, development included: what lock files are compared by. */
export function allDependencies(manifest: PackageManifest): ReadonlyMap<string, string> {
  return new Map([...manifest.devDependencies, ...manifest.dependencies, ...manifest.optionalDependencies]);
}

/** Lists of packages by their names. */
export function byName(packages: Iterable<LockedPackage>): ReadonlyMap<string, readonly LockedPackage[]> {
  const found = new Map<string, LockedPackage[]>();
  for (const one of packages) {
    if (one.name === undefined) continue;
    const same = found.get(one.name);
    if (same === undefined) found.set(one.name, [one]);
    else same.push(one);
  }
  return found;
}

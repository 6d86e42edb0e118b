import { createHash } from 'node:crypto';
import type { InstalledPackage } from '../installed/installation.ts';
import { type NodeFile, sizeOf } from './node-file.ts';

/** A package with its files. */
export interface PackageFiles {
  readonly installed: InstalledPackage;
  readonly files: readonly NodeFile[];
  /** There are other files, or another package, for other platforms. */
  readonly isOfPlatform: boolean;
}

/** Packages that make one layer. */
export interface PackageGroup {
  readonly kind: 'large' | 'platform' | 'shared';
  /** In the order of their names. */
  readonly packages: readonly PackageFiles[];
}

/** What is this large, in bytes of its files, is worth a layer of its own. */
const largeBytes = 10 * 1024 * 1024;
/** How many packages may have one. */
const maxLarge = 10;
/** How often the others may be halved: 8 layers at most. */
const maxHalvings = 3;

/**
 * Divides published packages into layers so that a change of one package changes one layer. Which layer that is depends on its
 * name alone, as long as no layer grows too large:
 *
 * - a package of 10 MiB and more has a layer of its own, the ten largest at most;
 * - what is for one platform only is together, so that all other layers are the same for all platforms;
 * - the rest is one layer, halved by the hashes of the names while it is larger than 10 MiB, into eight at most.
 */
export function groupPackages(packages: readonly PackageFiles[]): readonly PackageGroup[] {
  const sorted = packages.toSorted((a, b) => compare(keyOf(a), keyOf(b)));
  const byName = Map.groupBy(sorted, ({ installed }) => installed.manifest.name ?? '');
  const large = [...byName]
    .map(([name, all]) => ({ name, all, size: sizeOfAll(all) }))
    .filter(({ size }) => size >= largeBytes)
    .sort((a, b) => b.size - a.size || compare(a.name, b.name))
    .slice(0, maxLarge)
    .sort((a, b) => compare(a.name, b.name));
  const apart = new Set(large.flatMap(({ all }) => all));
  const others = sorted.filter((one) => !apart.has(one));
  const platform = others.filter(({ isOfPlatform }) => isOfPlatform);
  const shared = others.filter(({ isOfPlatform }) => !isOfPlatform);
  return [
    ...large.map(({ all }) => ({ kind: 'large', packages: all }) as const),
    ...(platform.length === 0 ? [] : [{ kind: 'platform', packages: platform } as const]),
    ...halved(shared, 0).map((half) => ({ kind: 'shared', packages: half }) as const),
  ];
}

/** Halves by one more bit of the names' hashes each time; halves do not depend on what is in the other one. */
function halved(packages: readonly PackageFiles[], depth: number): readonly (readonly PackageFiles[])[] {
  if (packages.length === 0) return [];
  if (depth === maxHalvings || sizeOfAll(packages) <= largeBytes) return [packages];
  const isSet = ({ installed }: PackageFiles): boolean =>
    ((createHash('sha256')
      .update(installed.manifest.name ?? '')
      .digest()[0] ?? 0) &
      (0x80 >> depth)) !==
    0;
  const [low, high] = [packages.filter((one) => !isSet(one)), packages.filter(isSet)];
  return [...halved(low, depth + 1), ...halved(high, depth + 1)];
}

function sizeOfAll(packages: readonly PackageFiles[]): number {
  return packages.reduce((sum, { files }) => sum + sizeOf(files), 0);
}

function keyOf({ installed: { manifest, directory } }: PackageFiles): string {
  return `${manifest.name ?? ''}\0${directory}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

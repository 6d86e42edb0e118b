import type { LayeredTree } from '@ocijs/bundle';
import type { NodeFile } from '../layers/node-file.ts';
import type { PackageManager } from '../lock/node-lock.ts';
import { binariesOf } from './binaries.ts';
import { type InstalledPackage, platformMismatch } from './installation.ts';
import type { NodeTarget } from './target.ts';

export interface CheckedBinaries {
  /** The package has compiled files. */
  readonly hasBinaries: boolean;
  readonly warning?: string;
}

/**
 * Looks whether the compiled files of a package are for the target. A package may bring along those of several platforms; one of
 * them has to be it.
 *
 * @throws BuildError `ERR_OCI_NODE_PLATFORM_MISMATCH` when the files were made or chosen by an install script, on another platform.
 */
export function checkBinaries(
  tree: LayeredTree,
  { manifest, directory }: InstalledPackage,
  {
    files,
    target,
    platform,
    manager,
  }: {
    readonly files: readonly NodeFile[];
    readonly target: Pick<NodeTarget, 'os' | 'cpu'>;
    readonly platform: string;
    readonly manager: PackageManager;
  },
): CheckedBinaries {
  const binaries = binariesOf(tree, files);
  if (binaries.length === 0) return { hasBinaries: false };
  const fits = binaries.some(({ platform: { os, cpus } }) => os === target.os && cpus.includes(target.cpu));
  if (fits) return { hasBinaries: true };
  const [{ path, platform: of } = { path: directory, platform: { os: '', cpus: [] } }] = binaries;
  const message = `${path} is for ${of.os}/${of.cpus.join('+')}, and the image for ${platform}`;
  const isMadeHere =
    ['preinstall', 'install', 'postinstall'].some((name) => manifest.scripts.has(name)) ||
    files.some((one) => one.path === `${directory}/binding.gyp`);
  if (isMadeHere) throw platformMismatch({ manager }, message, target);
  // Helpers of other systems are common; an addon that cannot be loaded is worth a word.
  return path.endsWith('.node') ? { hasBinaries: true, warning: message } : { hasBinaries: true };
}

import { closeSync, constants, lstatSync, mkdirSync, openSync, statSync, writeFileSync } from 'node:fs';
import type { RuntimeSpec } from '@ocijs/bundle/spec';
import { RuntimeError } from '../errors.ts';
import { containerPath } from '../plan/mount-targets.ts';
import type { ExternalMount } from './mounts.ts';

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;

function conflict(path: string, reason: string, cause?: unknown): RuntimeError {
  const message = `the mount at ${JSON.stringify(path)} cannot be restored: ${reason}`;
  return new RuntimeError('ERR_OCI_SPEC_CONFLICT', message, { path, cause });
}

function isDirectory({ path, source }: ExternalMount): boolean {
  try {
    return statSync(source).isDirectory();
  } catch (error) {
    throw conflict(path, `${source}: ${(error as NodeJS.ErrnoException).code}`, error);
  }
}

/** Opens a directory below another one, which is made if it is not there. Nothing but a real directory is entered. */
function enter(parent: number, name: string, path: string): number {
  const place = `/proc/self/fd/${parent}/${name}`;
  if (lstatSync(place, { throwIfNoEntry: false }) === undefined) mkdirSync(place, 0o755);
  try {
    return openSync(place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  } catch (error) {
    const isOther = ['ELOOP', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
    throw isOther ? conflict(path, 'it leads through a symbolic link or a file', error) : error;
  }
}

function makeTarget(directory: number, name: string, mount: ExternalMount): void {
  const place = `/proc/self/fd/${directory}/${name}`;
  const stats = lstatSync(place, { throwIfNoEntry: false });
  if (stats?.isSymbolicLink()) throw conflict(mount.path, 'it is a symbolic link');
  if (stats !== undefined) return;
  if (isDirectory(mount)) mkdirSync(place, 0o755);
  else writeFileSync(place, '', { flag: 'wx', mode: 0o644 });
}

/**
 * Makes what a mount covers, where the root file system does not have it. It is looked up from directory to directory, never
 * through a link, so that nothing is made elsewhere. Throws ERR_OCI_SPEC_CONFLICT.
 */
function prepareTarget(rootfs: string, mount: ExternalMount): void {
  const names = mount.path.split('/').slice(1);
  const last = names.pop() ?? '';
  let directory = openSync(rootfs, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    for (const name of names) {
      const next = enter(directory, name, mount.path);
      closeSync(directory);
      directory = next;
    }
    makeTarget(directory, last, mount);
  } finally {
    closeSync(directory);
  }
}

/** Makes the targets of mounts on the root file system; those on others of the container, such as /dev, come with the images. */
export function prepareTargets(rootfs: string, mounts: readonly ExternalMount[], spec: RuntimeSpec): void {
  const places = (spec.mounts ?? []).map(({ destination }) => `${containerPath(destination)}/`);
  for (const mount of mounts) {
    if (!places.some((place) => mount.path.startsWith(place))) prepareTarget(rootfs, mount);
  }
}

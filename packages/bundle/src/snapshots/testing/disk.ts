import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { unmountAll } from '../mount-overlay.ts';

/** A file system in a file, which is unmounted when it is disposed of. */
export interface Disk extends Disposable {
  readonly path: string;
}

/** Options of {@link mountDisk}. */
export interface MountDiskOptions {
  /** The directory that gets the file, and the mount point beside it. */
  readonly base: string;
  /** Which file systems will do, in the order of preference. */
  readonly types: readonly ('xfs' | 'btrfs')[];
}

/** Mounts a new, empty file system; undefined where none can be made and mounted, which skips the test. */
export function mountDisk(t: TestContext, { base, types }: MountDiskOptions): Disk | undefined {
  if (process.getuid?.() !== 0) {
    t.skip('needs root to mount');
    return undefined;
  }
  const disk = join(base, 'disk');
  const path = join(base, 'mounted');
  mkdirSync(path);
  for (const type of types) {
    execFileSync('truncate', ['-s', '320M', disk]);
    if (spawnSync(`mkfs.${type}`, ['-q', '-f', disk]).status !== 0) continue;
    // The loop device goes with the mount.
    if (spawnSync('mount', ['-o', 'loop', disk, path]).status !== 0) continue;
    return { path, [Symbol.dispose]: () => unmountAll(path) };
  }
  t.skip(`needs mkfs.${types.join(' or mkfs.')}, and a kernel that mounts it`);
  return undefined;
}

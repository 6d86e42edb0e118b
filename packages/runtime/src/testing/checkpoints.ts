import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { create } from '../lifecycle/create.ts';
import { remove } from '../lifecycle/remove.ts';
import { start } from '../lifecycle/start.ts';
import { busyboxBundle, cannotRunAsRoot, type TestBundle, testId } from './busybox-bundle.ts';

/** The criu that tests use: `$OCI_CRIU`, or the installed one. */
export const criu: string = process.env['OCI_CRIU'] || 'criu';

/** Why containers cannot be checkpointed here; false when they can. */
export function cannotCheckpoint(): string | false {
  const cannot = cannotRunAsRoot();
  if (cannot) return cannot;
  const { status, error } = spawnSync(criu, ['check'], { stdio: 'ignore' });
  if (error !== undefined) return 'needs criu';
  return status === 0 ? false : 'needs a criu that works with this kernel (criu check)';
}

/** Why something cannot be tested that criu does only on some kernels; false when it can. */
export function cannotWithout(feature: string, what: string): string | false {
  const cannot = cannotCheckpoint();
  if (cannot) return cannot;
  return spawnSync(criu, ['check', '--feature', feature]).status === 0 ? false : what;
}

export const noStdio = ['ignore', 'ignore', 'ignore'] as const;

/** A bundle that shares a directory with the host. */
export interface SharingBundle extends TestBundle {
  readonly shared: string;
}

/**
 * A shell script that counts, in memory, and makes a directory for each number: no file is ever open, which another
 * container of the same images would have replaced meanwhile.
 */
export const counter: string = 'i=0; while true; do i=$((i+1)); mkdir /shared/$i; sleep 0.05; done';

/** A container that shares a directory with the host, in which it shows how far it has counted. */
export function countingBundle(script: string = counter): SharingBundle {
  const bundle = busyboxBundle(script);
  const shared = join(bundle.directory, 'shared');
  mkdirSync(shared);
  bundle.change((spec) => {
    spec.root = { path: 'rootfs', readonly: true };
    mkdirSync(join(bundle.directory, 'rootfs/shared'));
    spec.mounts = [
      ...(spec.mounts ?? []),
      { destination: '/shared', source: 'shared', options: ['bind', 'rw'] },
    ];
  });
  return { ...bundle, shared };
}

/** How far the container has counted. */
export function count(shared: string): number {
  const numbers = readdirSync(shared).map(Number);
  return Math.max(0, ...numbers.filter((number) => !Number.isNaN(number)));
}

/** Waits until something holds; for a minute, since machines of tests are busy. */
export async function until(holds: () => boolean): Promise<void> {
  for (let attempt = 0; !holds(); attempt++) {
    if (attempt === 1200) throw new Error('it did not happen within a minute');
    await delay(50);
  }
}

/** Starts a container of the bundle that has begun to count; returns its id. */
export async function counting(bundle: SharingBundle): Promise<string> {
  const id = testId();
  const { root } = bundle;
  await create(id, { bundle: bundle.directory, root, stdio: noStdio });
  try {
    await start(id, { root });
    await until(() => count(bundle.shared) >= 3);
  } catch (error) {
    await remove(id, { root, force: true });
    throw error;
  }
  return id;
}

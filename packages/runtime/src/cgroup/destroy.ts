import { rmdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isOciError } from '@ocijs/image/errors';
import { RuntimeError } from '../errors.ts';
import { cgroupRemovalTimeout } from '../limits.ts';
import { groupsBelow, isGone, pidsBelow, signalCgroup } from './members.ts';
import { defaultParent } from './path.ts';
import type { CgroupRecord, SystemdUnit } from './record.ts';

/** Removes an empty group; false when the kernel still holds it. */
function removeGroup(group: string): boolean {
  try {
    rmdirSync(group);
    return true;
  } catch (error) {
    if (isGone(error)) return true;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EBUSY' || code === 'ENOTEMPTY') return false;
    throw error;
  }
}

/** Most groups have none below them, and are not looked into. */
function removeTree(directory: string): boolean {
  return removeGroup(directory) || groupsBelow(directory).every(removeGroup);
}

/** The parent that we made for groups without a name of their own goes when its last group went. */
function removeDefaultParent(record: CgroupRecord): void {
  if (dirname(record.path) !== defaultParent) return;
  for (const { path } of record.directories) {
    try {
      removeGroup(dirname(path));
    } catch (error) {
      // Somebody else's, below which we could not make any.
      if (!['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
}

/** A scope without processes is forgotten by systemd itself, also where its bus cannot be reached any more. */
async function stopUnit(record: CgroupRecord, unit: SystemdUnit): Promise<void> {
  signalCgroup(record, 9);
  const { stopScope } = await import('../systemd/scope.ts');
  try {
    await stopScope(unit);
  } catch (error) {
    if (!isOciError(error, 'ERR_OCI_SYSTEMD_UNAVAILABLE')) throw error;
  }
}

/**
 * Kills what is left in a container's cgroup and removes the groups that the runtime made. The kernel
 * may hold a group for a moment after its last process ended, and tells nobody when it lets go, so removal is
 * tried again with growing pauses, for five seconds at most: then ERR_OCI_CGROUP_BUSY.
 */
export async function destroyCgroup(record: CgroupRecord): Promise<void> {
  if (record.systemd !== undefined) await stopUnit(record, record.systemd);
  let pending = record.directories.filter(({ created }) => created).map(({ path }) => path);
  const deadline = Date.now() + cgroupRemovalTimeout;
  for (let pause = 1; ; pause = Math.min(pause * 2, 100)) {
    pending = pending.filter((path) => !removeTree(path));
    if (pending.length === 0) break;
    if (Date.now() > deadline) {
      const path = pending[0] as string;
      throw new RuntimeError('ERR_OCI_CGROUP_BUSY', `cgroup ${path} cannot be removed`, {
        path,
        actual: pidsBelow(path).length,
        hint: 'A process in it does not end, perhaps in uninterruptible sleep; try again later.',
      });
    }
    signalCgroup({ ...record, directories: record.directories.filter(({ created }) => created) }, 9);
    await delay(pause);
  }
  removeDefaultParent(record);
}

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { RuntimeError } from '../errors.ts';
import { cgroupTreeLimit } from '../limits.ts';
import type { CgroupRecord } from './record.ts';

/** True for the errors of a group that is no longer there (`ENODEV`: removed while its file was open). */
export function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENODEV';
}

/** A group and all groups below it, the lowest first, so that they can be removed in this order. */
export function groupsBelow(directory: string): string[] {
  const groups: string[] = [directory];
  for (let index = 0; index < groups.length; index += 1) {
    const group = groups[index] as string;
    try {
      for (const entry of readdirSync(group, { withFileTypes: true })) {
        if (entry.isDirectory()) groups.push(`${group}/${entry.name}`);
      }
    } catch (error) {
      if (!isGone(error)) throw error;
    }
    if (groups.length > cgroupTreeLimit) {
      throw new RuntimeError(
        'ERR_OCI_CGROUP_BUSY',
        `cgroup ${directory} has more than ${cgroupTreeLimit} groups`,
        {
          path: directory,
          limit: cgroupTreeLimit,
        },
      );
    }
  }
  return groups.reverse();
}

function pidsOfGroup(group: string): number[] {
  try {
    const text = readFileSync(`${group}/cgroup.procs`, 'utf8');
    // Zero stands for a process that this pid namespace does not see.
    return text
      .split('\n')
      .map(Number)
      .filter((pid) => pid > 0);
  } catch (error) {
    // A threaded v2 group does not list processes; its domain above does.
    if (isGone(error) || (error as NodeJS.ErrnoException).code === 'EOPNOTSUPP') return [];
    throw error;
  }
}

/** The processes in a group and below it. */
export function pidsBelow(directory: string): number[] {
  return [...new Set(groupsBelow(directory).flatMap(pidsOfGroup))];
}

/** The processes in a container's cgroup; empty when it has none or it is gone. */
export function cgroupPids(record: CgroupRecord): number[] {
  return [...new Set(record.directories.flatMap(({ path }) => pidsBelow(path)))];
}

function tryWrite(file: string, value: string): boolean {
  try {
    writeFileSync(file, value, { flag: 'r+' });
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

function sendSignal(pid: number, signal: number): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Lets frozen processes run again: a frozen v1 process does not die of SIGKILL. */
function thaw(record: CgroupRecord): void {
  for (const { path, version, controllers } of record.directories) {
    if (version === 'v2') tryWrite(`${path}/cgroup.freeze`, '0');
    else if (controllers.includes('freezer')) tryWrite(`${path}/freezer.state`, 'THAWED');
  }
}

/** Options of {@link signalCgroup}. */
export interface SignalCgroupOptions {
  /** A process that got the signal already. */
  readonly except?: number | undefined;
}

/**
 * Sends a signal to every process of a container's cgroup. SIGKILL reaches also those that fork meanwhile,
 * through `cgroup.kill` where a v2 hierarchy is mounted, else by repeating.
 */
export function signalCgroup(record: CgroupRecord, signal: number, options: SignalCgroupOptions = {}): void {
  const isKill = signal === 9;
  if (isKill) {
    for (const { path, version } of record.directories) {
      if (version === 'v2') tryWrite(`${path}/cgroup.kill`, '1');
    }
  }
  const signalled = new Set<number>(options.except === undefined ? [] : [options.except]);
  for (let round = 0; round < (isKill ? 10 : 1); round += 1) {
    const fresh = cgroupPids(record).filter((pid) => !signalled.has(pid));
    for (const pid of fresh) {
      signalled.add(pid);
      sendSignal(pid, signal);
    }
    if (fresh.length === 0) break;
  }
  if (isKill) thaw(record);
}

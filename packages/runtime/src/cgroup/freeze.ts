import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { RuntimeError } from '../errors.ts';
import { freezeTimeout } from '../limits.ts';
import { isGone } from './members.ts';
import type { CgroupRecord } from './record.ts';

/** The files of the one directory that can stop a container's processes. */
interface Freezer {
  readonly path: string;
  /** What is written to stop and to go on. */
  readonly file: string;
  readonly values: readonly [stop: string, go: string];
  /** What is read when all have stopped, and when a v1 group is still at it. */
  readonly stateFile: string;
  readonly frozen: RegExp;
}

function freezerOf(record: CgroupRecord | undefined): Freezer | undefined {
  const v1 = record?.directories.find(({ controllers }) => controllers.includes('freezer'));
  if (v1 !== undefined) {
    const file = `${v1.path}/freezer.state`;
    return { path: v1.path, file, values: ['FROZEN', 'THAWED'], stateFile: file, frozen: /^FROZEN/ };
  }
  // On a hybrid host the v2 hierarchy freezes too, where there is no v1 freezer.
  const v2 = record?.directories.find(({ version }) => version === 'v2');
  if (v2 === undefined) return undefined;
  return {
    path: v2.path,
    file: `${v2.path}/cgroup.freeze`,
    values: ['1', '0'],
    stateFile: `${v2.path}/cgroup.events`,
    frozen: /^frozen 1$/m,
  };
}

function readState({ stateFile }: Freezer): string {
  try {
    return readFileSync(stateFile, 'utf8');
  } catch (error) {
    if (isGone(error)) return '';
    throw error;
  }
}

/** True while the processes of a container are stopped, or shall be; a group that is gone stops nothing. */
export function isToldToStop(record: CgroupRecord | undefined): boolean {
  const freezer = freezerOf(record);
  if (freezer === undefined) return false;
  const text = readState({ ...freezer, stateFile: freezer.file }).trim();
  return text !== '' && text !== freezer.values[1];
}

/** True while the processes of a container are stopped; a group that is gone stops nothing. */
export function isFrozen(record: CgroupRecord | undefined): boolean {
  const freezer = freezerOf(record);
  return freezer?.frozen.test(readState(freezer)) ?? false;
}

function requireFreezer(record: CgroupRecord | undefined): Freezer {
  const freezer = freezerOf(record);
  if (freezer !== undefined) return freezer;
  throw new RuntimeError('ERR_OCI_CGROUP_MISSING', 'the container has no cgroup that can be frozen', {
    hint: 'Pausing needs a cgroup with the freezer controller, or cgroup v2, that is delegated to you.',
  });
}

function write({ file }: Freezer, value: string): void {
  try {
    writeFileSync(file, value, { flag: 'r+' });
  } catch (cause) {
    const errno = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    throw new RuntimeError('ERR_OCI_CGROUP_DENIED', `cannot write ${value} to ${file}: ${errno}`, {
      path: file,
      errno,
      cause,
    });
  }
}

/**
 * Stops every process of a group, and returns when all have stopped. A v1 group that does not come to rest, because a
 * process forks or is traced, is told again; after five seconds everything goes on and ERR_OCI_CGROUP_BUSY is
 * thrown. Throws ERR_OCI_CGROUP_MISSING and ERR_OCI_CGROUP_DENIED.
 */
export async function freezeCgroup(
  record: CgroupRecord | undefined,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const freezer = requireFreezer(record);
  const [stop, go] = freezer.values;
  const deadline = Date.now() + freezeTimeout;
  try {
    write(freezer, stop);
    for (let pause = 1; !freezer.frozen.test(readState(freezer)); pause = Math.min(pause * 2, 20)) {
      if (Date.now() > deadline) {
        throw new RuntimeError('ERR_OCI_CGROUP_BUSY', `the processes of ${freezer.path} do not stop`, {
          path: freezer.path,
        });
      }
      await delay(pause, undefined, { signal: options.signal });
      write(freezer, stop);
    }
  } catch (error) {
    write(freezer, go);
    throw error;
  }
}

/** Lets the processes of a frozen group go on. Throws ERR_OCI_CGROUP_MISSING and ERR_OCI_CGROUP_DENIED. */
export function thawCgroup(record: CgroupRecord | undefined): void {
  const freezer = requireFreezer(record);
  write(freezer, freezer.values[1]);
}

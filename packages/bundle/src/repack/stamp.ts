import { open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** When a root file system was complete, and which one it was. */
export interface Stamp {
  /** By the clock of the file system: what changes later has this time or a later one. Nanoseconds since 1970, decimal. */
  readonly timeNs: string;
  /** Of the root directory: a copy has another one, and the times in it are those of copying. */
  readonly device: string;
  readonly inode: string;
}

/**
 * Takes the time after everything that has been written below `directory`, where the root file system is `rootfs`. The
 * kernel gives times in steps of some milliseconds; this waits for the next one.
 */
export async function takeStamp(directory: string, rootfs: string): Promise<Stamp> {
  const path = join(directory, '.oci.stamp');
  await using file = await open(path, 'w', 0o600);
  try {
    const first = (await file.stat({ bigint: true })).ctimeNs;
    let timeNs = first;
    while (timeNs <= first) {
      await sleep(1);
      await file.utimes(0, 0);
      timeNs = (await file.stat({ bigint: true })).ctimeNs;
    }
    return { timeNs: String(timeNs), ...(await identityOf(rootfs)) };
  } finally {
    await rm(path, { force: true });
  }
}

/** The time from which on changes count; undefined when the times of this root file system tell nothing. */
export async function stampTime(rootfs: string, stamp: Stamp | undefined): Promise<bigint | undefined> {
  if (stamp === undefined || !/^\d{1,20}$/.test(stamp.timeNs)) return undefined;
  const { device, inode } = await identityOf(rootfs);
  return device === stamp.device && inode === stamp.inode ? BigInt(stamp.timeNs) : undefined;
}

async function identityOf(rootfs: string): Promise<Pick<Stamp, 'device' | 'inode'>> {
  const { dev, ino } = await stat(rootfs, { bigint: true });
  return { device: String(dev), inode: String(ino) };
}

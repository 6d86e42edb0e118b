import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, isDigest, parseJson } from '@ocijs/image';
import { snapshotRecordSizeLimit } from '../limits.ts';
import { readLimitedFile } from '../read-file.ts';
import { hasErrno } from '../rootfs/failure.ts';
import type { SnapshotKind } from './paths.ts';

/** What `snapshot.json` says of the layer beside it. */
export interface SnapshotRecord {
  readonly version: 1;
  readonly chainId: Digest;
  readonly diffId: Digest;
  readonly kind: SnapshotKind;
  /** The boot it was made in, until it must have reached the disk. */
  readonly boot?: string;
}

const fileName = 'snapshot.json';

/** After so long the kernel has written everything to the disk (it does after 30 s), in milliseconds. */
const settledAfterMs = 5 * 60_000;

let boot: Promise<string> | undefined;

/** Identifies this run of the kernel. */
export async function currentBoot(): Promise<string> {
  boot ??= readFile('/proc/sys/kernel/random/boot_id', 'utf8').then((text) => text.trim());
  return boot;
}

/** Writes the record of a new snapshot. */
export async function writeSnapshotRecord(directory: string, record: SnapshotRecord): Promise<void> {
  await writeFile(join(directory, fileName), JSON.stringify(record), { mode: 0o600, flag: 'wx' });
}

/**
 * Reads the record of a snapshot; undefined when there is no snapshot to trust: none,
 * or one of an earlier boot that may have lost files when the power went. Nothing is synchronised when a snapshot
 * is made, since it can always be made again.
 */
export async function readSnapshotRecord(directory: string): Promise<SnapshotRecord | undefined> {
  const path = join(directory, fileName);
  let record: SnapshotRecord | undefined;
  try {
    const raw = await readLimitedFile(path, { limit: snapshotRecordSizeLimit });
    // An empty or broken record is what a power failure leaves.
    record = parseRecord(raw, path);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ERR_OCI_JSON_INVALID')) return undefined;
    throw error;
  }
  if (record?.boot === undefined) return record;
  if (record.boot !== (await currentBoot())) return undefined;
  if (Date.now() - (await stat(path)).mtimeMs > settledAfterMs) await settle(path, record);
  return record;
}

function parseRecord(raw: Uint8Array, what: string): SnapshotRecord | undefined {
  const value = parseJson(raw, { limit: snapshotRecordSizeLimit, what }) as Partial<SnapshotRecord> | null;
  const isValid =
    value?.version === 1 &&
    typeof value.chainId === 'string' &&
    isDigest(value.chainId) &&
    typeof value.diffId === 'string' &&
    isDigest(value.diffId);
  return isValid ? (value as SnapshotRecord) : undefined;
}

async function settle(path: string, { boot: _, ...record }: SnapshotRecord): Promise<void> {
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, JSON.stringify(record), { mode: 0o600, flush: true });
  await rename(temporary, path);
}

import { randomUUID } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, isDigest, parseJson } from '@ocijs/image';
import { BundleError } from '../errors.ts';
import { snapshotRecordSizeLimit } from '../limits.ts';
import { readLimitedFile } from '../read-file.ts';
import { hasErrno } from '../rootfs/failure.ts';

/** How a root file system is made of snapshots. */
export type RootfsKind = (typeof kinds)[number];

const kinds = ['overlay', 'own-overlay', 'copy'] as const;

/** What `rootfs.json` says of the root file system beside it. */
export interface RootfsRecord {
  readonly version: 1;
  /**
   * `overlay`: mounted over snapshots. `own-overlay`: likewise, but in namespaces of its container, so that it is gone with
   * its last process. `copy`: files of its own.
   */
  readonly kind: RootfsKind;
  /** The snapshots that it needs, the lowest first. */
  readonly chainIds: readonly Digest[];
}

const fileName = 'rootfs.json';

/** Writes the record so that a reader sees the old one or the new one. A power failure ends the mount anyway. */
export async function writeRootfsRecord(directory: string, record: RootfsRecord): Promise<void> {
  const temporary = join(directory, `.${fileName}.${randomUUID()}`);
  await writeFile(temporary, JSON.stringify(record), { mode: 0o600, flag: 'wx' });
  await rename(temporary, join(directory, fileName));
}

/** Reads it; undefined when there is none. Throws ERR_OCI_BUNDLE_INVALID. */
export async function readRootfsRecord(directory: string): Promise<RootfsRecord | undefined> {
  const path = join(directory, fileName);
  let raw: Uint8Array;
  try {
    raw = await readLimitedFile(path, { limit: snapshotRecordSizeLimit });
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
  const value = parseJson(raw, {
    limit: snapshotRecordSizeLimit,
    what: path,
  }) as Partial<RootfsRecord> | null;
  const isValid =
    value?.version === 1 &&
    kinds.some((kind) => kind === value.kind) &&
    Array.isArray(value.chainIds) &&
    value.chainIds.every((id) => typeof id === 'string' && isDigest(id));
  if (!isValid)
    throw new BundleError('ERR_OCI_BUNDLE_INVALID', `${path} is not a record of this version`, { path });
  return value as RootfsRecord;
}

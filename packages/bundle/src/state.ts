import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, isDigest, parseJson } from '@ocijs/image';
import type { BundleImage } from './bundle.ts';
import { BundleError } from './errors.ts';
import { stateSizeLimit } from './limits.ts';
import { readLimitedFile } from './read-file.ts';
import type { Stamp } from './repack/stamp.ts';
import { hasErrno } from './rootfs/failure.ts';
import type { IdMapping } from './spec/types.ts';
import type { NamespaceIds } from './user-namespace.ts';

/** What `oci.json` in a bundle says: how it was unpacked, which it has to be repacked by. */
export interface BundleState {
  readonly version: 1;
  readonly image: BundleImage & {
    /** Of the manifest, as its size in bytes is; older bundles do not say. */
    readonly mediaType?: string;
    readonly size?: number;
    readonly platform: string;
    /** Digests of the layers, the lowest first. */
    readonly layers: readonly Digest[];
    /** It was unpacked straight from the registry that its name tells, and is in no store for that. */
    readonly origin?: 'registry';
  };
  readonly rootless: boolean;
  readonly uidMap: readonly IdMapping[];
  readonly gidMap: readonly IdMapping[];
  /** It was unpacked in a user namespace of an ordinary user, with these ids; only there all of it can be read. */
  readonly userNamespace?: NamespaceIds;
  /** Devices became empty files. */
  readonly placeholderDevices?: boolean;
  readonly keepDirlinks?: boolean;
  /** When the root file system was complete. */
  readonly stamp?: Stamp;
}

/** The file in a bundle that says how it was made. */
export const stateFile = 'oci.json';

/** Writes `oci.json`. */
export async function writeState(directory: string, state: BundleState): Promise<void> {
  await writeFile(join(directory, stateFile), `${JSON.stringify(state, null, 2)}\n`, {
    mode: 0o600,
    flag: 'wx',
  });
}

/** Reads which image a bundle is of; undefined for bundles that others made. Throws ERR_OCI_BUNDLE_INVALID. */
export async function readBundleImage(directory: string): Promise<BundleImage | undefined> {
  const state = await readState(directory);
  return state === undefined ? undefined : { name: state.image.name, digest: state.image.digest };
}

/** Reads how a bundle was made; undefined for bundles that others made. Throws ERR_OCI_BUNDLE_INVALID. */
export async function readState(directory: string): Promise<BundleState | undefined> {
  const path = join(directory, stateFile);
  let raw: Buffer;
  try {
    raw = await readLimitedFile(path, { limit: stateSizeLimit });
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  const state = parseJson(raw, { limit: stateSizeLimit, what: path }) as Partial<BundleState> | null;
  const { name, digest } = state?.image ?? {};
  if (state?.version !== 1 || typeof name !== 'string' || typeof digest !== 'string' || !isDigest(digest)) {
    throw new BundleError('ERR_OCI_BUNDLE_INVALID', `${path} is not a bundle state of this version`, {
      path,
    });
  }
  return state as BundleState;
}

import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createTreeBuilder, type EntryRecord, entryOfRecord, type TreeNode } from '@ocijs/image';
import { BundleError } from '../../errors.ts';
import { hasErrno } from '../../rootfs/failure.ts';
import type { BundleState } from '../../state.ts';

/** The directory in a bundle that has a file for each layer, with a line for each of its entries. */
const recordsDirectory = 'oci.layers';

/** Where the record of a layer is, counted from 0. */
export function recordPath(directory: string, layer: number): string {
  return join(recordsPath(directory), String(layer));
}

/** Where the records of a bundle are. */
export function recordsPath(directory: string): string {
  return join(directory, recordsDirectory);
}

/** Options of {@link readRecords}. */
export interface ReadRecordsOptions {
  readonly state: BundleState;
  readonly signal?: AbortSignal | undefined;
}

/** The root file system as it was unpacked, from the records of its layers. Throws ERR_OCI_REPACK_FAILED without records. */
export async function readRecords(
  directory: string,
  { state, signal }: ReadRecordsOptions,
): Promise<TreeNode> {
  const builder = createTreeBuilder({ keepDirlinks: state.keepDirlinks ?? false });
  for (const layer of state.image.layers.keys()) {
    const path = recordPath(directory, layer);
    const input = createReadStream(path, { encoding: 'utf8', signal });
    try {
      for await (const line of createInterface({ input, crlfDelay: Infinity }))
        builder.add(entryOfRecord(JSON.parse(line) as EntryRecord), layer);
    } catch (error) {
      signal?.throwIfAborted();
      if (!hasErrno(error, 'ENOENT') && !(error instanceof SyntaxError)) throw error;
      throw new BundleError('ERR_OCI_REPACK_FAILED', `${path} is missing or damaged`, {
        path,
        cause: error,
        hint: 'the bundle cannot be repacked; unpack the image again, and repeat the changes there',
      });
    } finally {
      input.destroy();
    }
  }
  return builder.root;
}

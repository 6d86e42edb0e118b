import { constants } from 'node:fs';
import { open, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '../../digest/digest.ts';
import { ImageError } from '../../errors.ts';
import { errnoOf } from '../failure.ts';
import { lockIndex } from '../index-file.ts';
import { fileMode, inOwnDirectory, type LayoutFiles } from '../layout-files.ts';
import { createToken } from '../lock/owner.ts';
import { leaseFileName } from './lease-name.ts';

/**
 * Keeps blobs from garbage collection, in all processes, while somebody needs them that no name refers to yet or
 * any more: a pull before it names its image, or an unpack. Ends with its process, however that ends.
 */
export interface Lease extends AsyncDisposable {
  /**
   * Protects more blobs, whether they are in the store yet or not. Add a blob first and then look whether it is there:
   * one that was there is there to stay. Throws ERR_OCI_STORE_LOCKED when the lease has expired, because this process
   * was stopped for minutes where a collector could not see it.
   */
  add(digests: Iterable<Digest>): Promise<void>;
  /** Gives the blobs up. Idempotent. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Options of {@link openLease}. */
export interface LeaseOptions {
  /** What is protected from the beginning. */
  readonly digests?: Iterable<Digest> | undefined;
  /** Who needs the blobs, for the reasons that a collector gives: `pull of docker.io/library/debian:bookworm`. */
  readonly purpose: string;
  readonly signal?: AbortSignal | undefined;
}

/** How often a holder renews its lease, for collectors that cannot see the process. */
const RENEWAL_MS = 30_000;

/**
 * Takes a lease: a file in `leases/` whose name says who holds it and whose lines are digests. It is written under
 * the lock of `index.json`, under which a collector decides, so that no blob goes between the two.
 */
export async function openLease(
  files: LayoutFiles,
  { digests = [], purpose, signal }: LeaseOptions,
): Promise<Lease> {
  signal?.throwIfAborted();
  const name = leaseFileName(createToken());
  const path = join(files.directory, 'leases', name);
  {
    await using _lock = await lockIndex(files);
    await inOwnDirectory(files, 'leases', () =>
      appendLines(path, [`# ${purpose.replaceAll(/\s+/g, ' ')}`, ...digests], {
        flags: constants.O_CREAT | constants.O_EXCL,
        mode: fileMode(files),
      }),
    );
  }
  let renewal: unknown;
  const beat = setInterval(() => {
    const now = new Date();
    // A lease that cannot be renewed was removed: `add` finds out by itself.
    utimes(path, now, now).catch((error: unknown) => {
      renewal ??= error;
    });
  }, RENEWAL_MS).unref();
  let held = true;
  return {
    async add(more) {
      if (!held) throw new TypeError('the lease has ended');
      await using _lock = await lockIndex(files);
      try {
        await appendLines(path, [...more], { flags: 0, mode: 0 });
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') throw error;
        throw new ImageError('ERR_OCI_STORE_LOCKED', `the lease for the ${purpose} has expired`, {
          path,
          cause: renewal ?? error,
          hint: 'this process was stopped for too long; run the command again',
        });
      }
    },
    async [Symbol.asyncDispose]() {
      if (!held) return;
      held = false;
      clearInterval(beat);
      await rm(path, { force: true });
    },
  };
}

/** Writes whole lines: what a killed process wrote half of, it has not relied on, and readers leave it out. */
async function appendLines(
  path: string,
  lines: readonly string[],
  { flags, mode }: { readonly flags: number; readonly mode: number },
): Promise<void> {
  const handle = await open(
    path,
    constants.O_WRONLY | constants.O_APPEND | (constants.O_NOFOLLOW ?? 0) | flags,
    mode,
  );
  try {
    await handle.writeFile(lines.map((line) => `${line}\n`).join(''));
  } finally {
    await handle.close();
  }
}

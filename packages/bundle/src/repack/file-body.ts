import { readSync } from 'node:fs';
import { createHasher, type Digest } from '@ocijs/image';
import * as linux from '@ocijs/linux';
import { BundleError } from '../errors.ts';
import { readSize } from '../limits.ts';
import { linuxOperations } from '../rootfs/linux-operations.ts';
import { openFile } from './open-directory.ts';

/** Reads the content of files below a root file system. Disposing closes it. */
export interface FileReader extends Disposable {
  /** All bytes of a small file, or a stream of them. Throws ERR_OCI_REPACK_FAILED when there are not `size` of them. */
  body(path: string, size: number): Uint8Array | AsyncIterable<Uint8Array>;
  digest(path: string, size: number): Digest;
}

/** Opens a root file system to read files in it; no path leaves it, and no link is followed. */
export function createFileReader(rootfs: string, { unlock }: { readonly unlock: boolean }): FileReader {
  const operations = linuxOperations();
  const root = operations.openRoot(rootfs);
  let last: { readonly path: string; readonly fd: number } | undefined;

  function open(path: string): number {
    const slash = path.lastIndexOf('/');
    const name = path.slice(slash + 1);
    if (slash < 0) return openFile(root, name, { unlock });
    const parent = path.slice(0, slash);
    if (last?.path !== parent) {
      if (last !== undefined) operations.close(last.fd);
      last = undefined;
      last = { path: parent, fd: operations.openDirectory(root, parent) };
    }
    return openFile(last.fd, name, { unlock });
  }

  function* chunks(path: string, size: number): Generator<Uint8Array, void, undefined> {
    const fd = open(path);
    try {
      for (let left = size; left > 0; ) {
        const buffer = Buffer.allocUnsafeSlow(Math.min(left, readSize));
        const length = readSync(fd, buffer, 0, buffer.length, null);
        if (length === 0) throw changed(path);
        left -= length;
        yield buffer.subarray(0, length);
      }
    } finally {
      linux.close(fd);
    }
  }

  async function* stream(path: string, size: number): AsyncGenerator<Uint8Array, void, undefined> {
    yield* chunks(path, size);
  }

  return {
    body: (path, size) => (size > readSize ? stream(path, size) : joined([...chunks(path, size)])),
    digest(path, size) {
      const hasher = createHasher('sha256');
      for (const chunk of chunks(path, size)) hasher.update(chunk);
      return hasher.digest();
    },
    [Symbol.dispose]: () => {
      if (last !== undefined) operations.close(last.fd);
      operations.close(root);
    },
  };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
}

function changed(path: string): BundleError {
  return new BundleError('ERR_OCI_REPACK_FAILED', `${path} became shorter while it was read`, {
    path,
    hint: 'stop what runs in the bundle, and repack again',
  });
}

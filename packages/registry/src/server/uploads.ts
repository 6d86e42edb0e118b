import { randomUUID } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { openScratchFile, type Store } from '@ocijs/image';
import { RequestFailure } from './failure.ts';
import type { ServerLimits } from './limits.ts';

/** A chunked upload under way: its bytes wait in a file without a name until the digest is known. */
export interface Upload {
  readonly id: string;
  readonly repository: string;
  readonly file: FileHandle;
  /** Bytes received so far. */
  size: number;
  /** True while a request writes to it. */
  busy: boolean;
  /** When it was last used, in milliseconds since the epoch. */
  used: number;
}

/** All uploads of one server. */
export interface Uploads extends AsyncDisposable {
  /** Opens a session; answers 429 when too many are open. */
  start(repository: string): Promise<Upload>;
  /** Finds a session; answers 404 when the repository has no such session. */
  get(repository: string, id: string): Upload;
  /** Forgets a session and its bytes. */
  remove(upload: Upload): Promise<void>;
}

/** What {@link createUploads} works with. */
export interface UploadsOptions {
  readonly limits: ServerLimits;
  /** Told when an idle upload cannot be dropped. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** Keeps uploads in scratch files of the store: they are gone with the server, however it ends. */
export function createUploads(store: Store, { limits, onError }: UploadsOptions): Uploads {
  const sessions = new Map<string, Upload>();

  async function remove(upload: Upload): Promise<void> {
    if (sessions.delete(upload.id)) await upload.file.close();
  }

  async function removeIdle(): Promise<void> {
    const latest = Date.now() - limits.uploadIdle;
    for (const upload of [...sessions.values()])
      if (!upload.busy && upload.used < latest) await remove(upload);
  }

  const timer = setInterval(
    () => {
      removeIdle().catch((error: unknown) => onError?.(error));
    },
    Math.max(1000, limits.uploadIdle / 4),
  ).unref();

  return {
    async start(repository) {
      await removeIdle();
      if (sessions.size >= limits.uploads) {
        throw new RequestFailure(429, ['TOOMANYREQUESTS', `${limits.uploads} uploads are open already`], {
          headers: { 'retry-after': '1' },
        });
      }
      const file = await openScratchFile(store);
      const id = randomUUID();
      const upload: Upload = { id, repository, file, size: 0, busy: false, used: Date.now() };
      sessions.set(id, upload);
      return upload;
    },
    get(repository, id) {
      const upload = sessions.get(id);
      if (upload?.repository === repository) return upload;
      throw new RequestFailure(404, ['BLOB_UPLOAD_UNKNOWN', 'no such upload']);
    },
    remove,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await Promise.all([...sessions.values()].map(remove));
    },
  };
}

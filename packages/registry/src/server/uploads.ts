import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RequestFailure } from './failure.ts';
import type { ServerLimits } from './limits.ts';

/** A chunked upload under way: its bytes wait in a temporary file until the digest is known. */
export interface Upload {
  readonly id: string;
  readonly repository: string;
  readonly path: string;
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
  /** Opens a session; answers 429 when too many are open and none is idle. */
  start(repository: string): Promise<Upload>;
  /** Finds a session; answers 404 when the repository has no such session. */
  get(repository: string, id: string): Upload;
  /** Forgets a session and its bytes. */
  remove(upload: Upload): Promise<void>;
}

/** Keeps uploads in a private directory below the system's temporary directory, made on first use. */
export function createUploads(limits: ServerLimits): Uploads {
  const sessions = new Map<string, Upload>();
  let directory: Promise<string> | undefined;

  async function remove(upload: Upload): Promise<void> {
    sessions.delete(upload.id);
    await upload.file.close();
    await rm(upload.path, { force: true });
  }

  async function makeRoom(): Promise<void> {
    if (sessions.size < limits.uploads) return;
    const oldest = [...sessions.values()].filter(({ busy }) => !busy).sort((a, b) => a.used - b.used)[0];
    if (oldest === undefined || Date.now() - oldest.used < limits.uploadIdle) {
      throw new RequestFailure(429, ['TOOMANYREQUESTS', `${limits.uploads} uploads are open already`]);
    }
    await remove(oldest);
  }

  return {
    async start(repository) {
      await makeRoom();
      directory ??= mkdtemp(join(tmpdir(), 'oci-registry-'));
      const id = randomUUID();
      const path = join(await directory, id);
      const file = await open(path, 'wx+', 0o600);
      const upload: Upload = { id, repository, path, file, size: 0, busy: false, used: Date.now() };
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
      await Promise.all([...sessions.values()].map(remove));
      if (directory !== undefined) await rm(await directory, { recursive: true, force: true });
    },
  };
}

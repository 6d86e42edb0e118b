import { type Descriptor, digestBytes } from '@ocijs/image';
import type { Session } from '../session.ts';
import { uploadBlob } from '../upload.ts';

/** Uploads a small blob that is in memory. */
export async function putBytes(
  session: Session,
  target: {
    readonly repository: string;
    readonly bytes: Uint8Array;
    readonly mediaType: string;
    readonly signal: AbortSignal | undefined;
  },
): Promise<Descriptor> {
  const { repository, bytes, mediaType, signal } = target;
  const descriptor = { mediaType, digest: digestBytes(bytes), size: bytes.length };
  async function* open(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  await uploadBlob(session, { repository, descriptor, open, signal });
  return descriptor;
}

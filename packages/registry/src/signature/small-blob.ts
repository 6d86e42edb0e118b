import { type Descriptor, ImageError } from '@ocijs/image';
import { getBlob } from '../blobs.ts';
import type { Session } from '../session.ts';

/** Reads a blob of limited size, verified. Throws ERR_OCI_LIMIT_EXCEEDED before anything is sent. */
export async function readSmallBlob(
  session: Session,
  target: {
    readonly repository: string;
    readonly descriptor: Descriptor;
    readonly limit: number;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<Uint8Array> {
  const { repository, descriptor, limit, signal } = target;
  const { digest, size } = descriptor;
  if (size > limit) {
    throw new ImageError('ERR_OCI_LIMIT_EXCEEDED', `${digest} has ${size} bytes, more than ${limit}`, {
      limit,
      actual: size,
      digest,
    });
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of getBlob(session, { repository, descriptor, signal })) chunks.push(chunk);
  return Buffer.concat(chunks, size);
}

import {
  type ContentStore,
  type Descriptor,
  type Digest,
  formatReference,
  ImageError,
  type ImageSource,
  isIndexType,
  isManifestType,
  loadImage,
  type Platform,
  parseReference,
  type Reference,
} from '@ocijs/image';
import { getBlobPart } from './blob-part.ts';
import { getBlob } from './blobs.ts';
import { fromSources, type PullSource, sourceSession } from './config/sources.ts';
import { limits } from './limits.ts';
import type { RegistryOptions } from './options.ts';
import { fetchDescribed, type Resolved, resolve } from './resolve.ts';
import type { Session } from './session.ts';
import { type PullPolicy, pullPolicy } from './signature/policy/pull-policy.ts';

/** Options of {@link remoteImage} and {@link resolveRemote}. */
export interface RemoteOptions extends RegistryOptions {
  /** Which image of an index; default: the host's. */
  readonly platform?: Platform | undefined;
  /** What the reference must name; anything else is ERR_OCI_DIGEST_MISMATCH. */
  readonly expectDigest?: Digest | undefined;
}

/**
 * An image that is read over the network. Dispose it to close its connections at once; idle ones hold no
 * program.
 */
export interface RemoteImage extends ImageSource, AsyncDisposable {}

/**
 * Opens an image in its registry without storing anything. Manifest and config are fetched now, layers when
 * they are read; all are verified, and broken connections are resumed. The signature policy of this machine
 * holds as for a pull.
 */
export async function remoteImage(
  name: string | Reference,
  options: RemoteOptions = {},
): Promise<RemoteImage> {
  options.signal?.throwIfAborted();
  const reference = typeof name === 'string' ? parseReference(name) : name;
  const admission = await pullPolicy(reference, options);
  return fromSources(reference, options, (source) => openAt(source, { ...options, reference, admission }));
}

async function openAt(
  source: PullSource,
  options: RemoteOptions & { readonly reference: Reference; readonly admission: PullPolicy },
): Promise<RemoteImage> {
  const { platform, expectDigest, signal, reference } = options;
  const { repository } = source.reference;
  const session = sourceSession(source);
  try {
    const resolved = await resolve(session, { reference: source.reference, expectDigest, signal });
    const content = remoteContent(session, { repository, resolved });
    const image = await loadImage(content, resolved.descriptor, {
      name: formatReference(reference),
      ...(platform === undefined ? {} : { platform }),
      ...(signal === undefined ? {} : { signal }),
    });
    const { digest } = resolved.descriptor;
    const manifests = [image.descriptor.digest];
    await options.admission.admit(session, { repository, digest, manifests, signal });
    return {
      ...image,
      openBlobPart: (descriptor, { offset, length }, call = {}) =>
        getBlobPart(session, {
          signal: call.signal,
          repository,
          descriptor,
          range: { start: offset, end: offset + length },
        }),
      [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
    };
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * Asks what a reference names at the moment: one HEAD where the registry answers it fully. The digest is what
 * the registry says; bytes are checked against it when they are fetched.
 */
export async function resolveRemote(
  name: string | Reference,
  options: Omit<RemoteOptions, 'platform'> = {},
): Promise<Descriptor> {
  const { expectDigest, signal } = options;
  signal?.throwIfAborted();
  const reference = typeof name === 'string' ? parseReference(name) : name;
  return fromSources(reference, options, async (source) => {
    await using session = sourceSession(source);
    return (await resolve(session, { reference: source.reference, expectDigest, signal })).descriptor;
  });
}

/** A repository as something that bytes can be read from. */
export function remoteContent(
  session: Session,
  { repository, resolved }: { readonly repository: string; readonly resolved: Resolved },
): Pick<ContentStore, 'read' | 'readAll'> {
  const read: ContentStore['read'] = (descriptor, { signal } = {}) =>
    getBlob(session, { repository, descriptor, signal });
  return {
    read,
    async readAll(descriptor, { signal, limit = limits.manifestBytes } = {}) {
      const { digest, size, mediaType } = descriptor;
      if (digest === resolved.descriptor.digest && resolved.bytes !== undefined) return resolved.bytes;
      if (size > limit) {
        throw new ImageError('ERR_OCI_LIMIT_EXCEEDED', `${digest} is larger than ${limit} bytes`, {
          limit,
          actual: size,
          digest,
        });
      }
      if (isIndexType(mediaType) || isManifestType(mediaType)) {
        return fetchDescribed(session, { repository, descriptor, signal });
      }
      const chunks: Uint8Array[] = [];
      for await (const chunk of read(descriptor, { signal })) chunks.push(chunk);
      return Buffer.concat(chunks, size);
    },
  };
}

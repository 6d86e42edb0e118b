import {
  type Descriptor,
  type Digest,
  formatReference,
  ImageError,
  parseManifestOrIndex,
  type Reference,
} from '@ocijs/image';
import { putManifest } from '../manifests.ts';
import { canonicalRegistry } from '../names.ts';
import type { RegistryOptions } from '../options.ts';
import { trackBlob } from '../progress.ts';
import { recordReferrer } from '../referrers-tag.ts';
import { createSession } from '../session.ts';
import { uploadBlob } from '../upload.ts';
import type { CopySource } from './source.ts';
import type { CopyTarget } from './target.ts';

interface Document {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** A repository that images are written to. The tag changes on commit. */
export function registryTarget(reference: Reference, options: RegistryOptions): CopyTarget {
  const { registry, repository, digest: pinned } = reference;
  const { signal } = options;
  const session = createSession(registry, { ...options, repository, purpose: 'push' });
  const manifests = new Map<Digest, Document>();
  const names = new Map<string, Digest>();

  async function put({ descriptor, bytes }: Document, name?: string): Promise<void> {
    const { digest, mediaType } = descriptor;
    const { subjectKnown } = await putManifest(session, {
      repository,
      reference: name ?? digest,
      bytes,
      mediaType,
      signal,
    });
    const document = parseManifestOrIndex(bytes, { mediaType });
    const manifest = document.kind === 'manifest' ? document.manifest : document.index;
    if (manifest.subject === undefined || subjectKnown) return;
    await recordReferrer(session, { repository, descriptor, manifest, signal });
  }

  return {
    name: formatReference(reference),
    direction: 'push',
    sequential: false,
    plainLayers: false,
    referrers: 'subject',
    siblingName: (tag) => tag,
    async writeBlob({ descriptor, open, source, onEvent, signal: blobSignal }) {
      const progress = trackBlob(descriptor, onEvent);
      progress.start(0);
      const status = await uploadBlob(session, {
        descriptor,
        repository,
        mountFrom: mountFrom(source, registry),
        open,
        onProgress: (sent) => progress.moved(sent),
        signal: blobSignal,
      });
      progress.done(status);
      return status;
    },
    async writeManifest(descriptor, bytes) {
      manifests.set(descriptor.digest, { descriptor, bytes });
    },
    async add({ digest }, name) {
      if (name === reference.tag && pinned !== undefined && pinned !== digest)
        throw otherDigest(digest, pinned);
      if (name !== undefined) names.set(name, digest);
    },
    async commit() {
      // What has a tag comes last: nobody sees a new image without what is attached to it.
      const named = new Set(names.values());
      for (const [digest, document] of manifests) if (!named.has(digest)) await put(document);
      for (const [name, digest] of names) {
        const document = manifests.get(digest);
        if (document !== undefined) await put(document, name);
      }
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

function mountFrom(source: CopySource | undefined, registry: string): string | undefined {
  const place = source?.remote?.place;
  return place?.session.registry === canonicalRegistry(registry) ? place.repository : undefined;
}

function otherDigest(actual: string, expected: string): ImageError {
  return new ImageError(
    'ERR_OCI_DIGEST_MISMATCH',
    `what is copied is ${actual}, not ${expected} as the destination says`,
    {
      digest: actual,
      actual,
      expected,
    },
  );
}

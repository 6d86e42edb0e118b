import {
  type Descriptor,
  digestBytes,
  formatReference,
  ImageError,
  parseManifestOrIndex,
  type Reference,
} from '@ocijs/image';
import { putManifest } from '../manifests.ts';
import { canonicalRegistry } from '../names.ts';
import type { RegistryOptions } from '../options.ts';
import { trackBlob } from '../progress.ts';
import { createSession } from '../session.ts';
import { uploadBlob } from '../upload.ts';
import type { CopySource } from './source.ts';
import type { CopyTarget } from './target.ts';

/** A repository that images are written to. The tag changes on commit. */
export function registryTarget(reference: Reference, options: RegistryOptions): CopyTarget {
  const { registry, repository, digest: pinned } = reference;
  const { signal, onEvent } = options;
  const session = createSession(registry, { ...options, repository, purpose: 'push' });
  const manifests = new Map<string, { readonly descriptor: Descriptor; readonly bytes: Uint8Array }>();
  const names = new Map<string, string>();

  async function put(descriptor: Descriptor, bytes: Uint8Array): Promise<void> {
    const { digest, mediaType } = descriptor;
    const { subjectKnown } = await putManifest(session, {
      repository,
      reference: names.get(digest) ?? digest,
      bytes,
      mediaType,
      signal,
    });
    const document = parseManifestOrIndex(bytes, { mediaType });
    const { subject } = document.kind === 'manifest' ? document.manifest : document.index;
    if (subject === undefined || subjectKnown) return;
    const message = `${session.registry} does not list ${digest} as a referrer of ${subject.digest}`;
    onEvent?.({ type: 'warning', code: 'REFERRERS_UNSUPPORTED', message });
  }

  return {
    name: formatReference(reference),
    sequential: false,
    plainLayers: false,
    async writeBlob({ descriptor, open, source, signal: blobSignal }) {
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
      manifests.set(digestBytes(bytes), { descriptor, bytes });
    },
    async add({ digest }, name) {
      if (pinned !== undefined && pinned !== digest) throw otherDigest(digest, pinned);
      if (name !== undefined) names.set(digest, name);
    },
    async commit() {
      for (const { descriptor, bytes } of manifests.values()) await put(descriptor, bytes);
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

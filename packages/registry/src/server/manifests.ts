import {
  type Descriptor,
  type Digest,
  digestAlgorithm,
  digestBytes,
  isOciError,
  MediaType,
  parseDigest,
  parseManifestOrIndex,
} from '@ocijs/image';
import { storeBlob } from './blobs.ts';
import { type Exchange, readBody, sendBytes, sendEmpty } from './exchange.ts';
import { RequestFailure } from './failure.ts';
import { layoutName } from './names.ts';
import { entriesOf, factsOf, manifestFacts, manifestsOf } from './repository.ts';

/** What a manifest request is about. */
export interface ManifestTarget {
  readonly repository: string;
  /** A tag or a digest. */
  readonly reference: string;
}

const acceptedTypes: ReadonlySet<string> = new Set([
  MediaType.manifest,
  MediaType.index,
  MediaType.dockerManifest,
  MediaType.dockerManifestList,
]);

/** GET and HEAD of a manifest. */
export async function getManifest(exchange: Exchange, target: ManifestTarget): Promise<void> {
  const descriptor = await findManifest(exchange, target);
  const body = await exchange.store.readAll(descriptor, { signal: exchange.signal });
  sendBytes(exchange, body, {
    'content-type': descriptor.mediaType,
    'docker-content-digest': descriptor.digest,
    etag: `"${descriptor.digest}"`,
  });
}

async function findManifest(
  exchange: Exchange,
  { repository, reference }: ManifestTarget,
): Promise<Descriptor> {
  const entries = await entriesOf(exchange, repository);
  if (!reference.includes(':')) {
    const entry = entries.find(({ tag }) => tag === reference);
    if (entry !== undefined) return entry.descriptor;
  } else {
    for await (const descriptor of manifestsOf(exchange.store, { entries, signal: exchange.signal })) {
      if (descriptor.digest === reference) return descriptor;
    }
  }
  throw new RequestFailure(404, ['MANIFEST_UNKNOWN', `no manifest ${reference} in ${repository}`]);
}

/** PUT of a manifest: the raw bytes are what is digested, checked and kept. */
export async function putManifest(
  exchange: Exchange,
  { repository, reference }: ManifestTarget,
): Promise<void> {
  const { store } = exchange;
  const raw = await readBody(exchange, exchange.limits.manifestSize);
  const mediaType = exchange.request.headers['content-type']?.split(';', 1)[0]?.trim() ?? '';
  if (!acceptedTypes.has(mediaType)) {
    throw new RequestFailure(415, [
      'MANIFEST_INVALID',
      `content type ${mediaType || '(none)'} is not a manifest's`,
    ]);
  }
  const digest = digestFor(raw, reference);
  const descriptor: Descriptor = { mediaType, digest, size: raw.byteLength };
  const needed = parsedOrRefused(raw, descriptor);
  for (const child of needed) {
    if ((await store.size(child.digest)) !== undefined) continue;
    throw new RequestFailure(
      404,
      ['MANIFEST_BLOB_UNKNOWN', `manifest refers to unknown content ${child.digest}`],
      {
        detail: { digest: child.digest },
      },
    );
  }
  const { subject } = factsOf(raw, descriptor);
  await storeBlob(exchange, { digest, size: raw.byteLength, source: [raw] });
  await store.tag(layoutName(repository, reference), descriptor);
  sendEmpty(exchange, 201, {
    location: `/v2/${repository}/manifests/${digest}`,
    'docker-content-digest': digest,
    ...(subject === undefined ? {} : { 'oci-subject': subject.digest }),
  });
}

function digestFor(raw: Uint8Array, reference: string): Digest {
  if (!reference.includes(':')) return digestBytes(raw);
  const wanted = parseDigest(reference);
  const actual = digestBytes(raw, digestAlgorithm(wanted));
  if (actual === wanted) return actual;
  throw new RequestFailure(400, ['DIGEST_INVALID', `manifest has digest ${actual}, not ${wanted}`]);
}

/** The content that must be there already; foreign layers live elsewhere, so they need not. */
function parsedOrRefused(raw: Uint8Array, { mediaType }: Descriptor): readonly Descriptor[] {
  try {
    const parsed = parseManifestOrIndex(raw, { mediaType });
    if (parsed.kind === 'index') return parsed.index.manifests;
    const { config, layers } = parsed.manifest;
    const own = layers.filter((layer) => (layer.urls ?? []).length === 0);
    return config === undefined ? own : [config, ...own];
  } catch (error) {
    if (!isOciError(error)) throw error;
    throw new RequestFailure(400, ['MANIFEST_INVALID', error.message], { detail: { code: error.code } });
  }
}

/** DELETE of a tag, or by digest of every name that leads to the manifest. The bytes stay for other users of the layout. */
export async function deleteManifest(exchange: Exchange, target: ManifestTarget): Promise<void> {
  const { store, signal } = exchange;
  const { repository, reference } = target;
  const entries = await entriesOf(exchange, repository);
  const isTagged = !reference.includes(':');
  const doomed = entries.filter(({ tag, descriptor }) =>
    isTagged ? tag === reference : descriptor.digest === reference,
  );
  if (doomed.length === 0) {
    await findManifest(exchange, target);
    throw new RequestFailure(405, ['UNSUPPORTED', 'manifest belongs to an index: delete the index']);
  }
  for (const entry of entries) {
    if (isTagged || doomed.includes(entry) || (await store.size(entry.descriptor.digest)) === undefined)
      continue;
    const { children } = await manifestFacts(store, { descriptor: entry.descriptor, signal });
    if (!children.some(({ digest }) => digest === reference)) continue;
    throw new RequestFailure(405, [
      'UNSUPPORTED',
      `manifest belongs to the index ${entry.descriptor.digest}`,
    ]);
  }
  for (const { name } of doomed) await store.untag(name);
  sendEmpty(exchange, 202);
}

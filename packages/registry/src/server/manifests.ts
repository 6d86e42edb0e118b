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
import { digestHeaders, type Exchange, readBody, sendBytes, sendEmpty, sentNotModified } from './exchange.ts';
import { RequestFailure } from './failure.ts';
import { tagParameterLimit } from './limits.ts';
import { isDigestReference, isTag, layoutName } from './names.ts';
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
  if (sentNotModified(exchange, descriptor.digest)) return;
  const body = await exchange.store.readAll(descriptor, { signal: exchange.signal });
  sendBytes(exchange, body, {
    'content-type': descriptor.mediaType,
    ...digestHeaders(descriptor.digest),
  });
}

async function findManifest(
  exchange: Exchange,
  { repository, reference }: ManifestTarget,
): Promise<Descriptor> {
  const entries = await entriesOf(exchange, repository);
  const named = entries.find(({ tag, descriptor }) =>
    isDigestReference(reference) ? descriptor.digest === reference : tag === reference,
  );
  if (named !== undefined && (await exchange.store.size(named.descriptor.digest)) !== undefined)
    return named.descriptor;
  if (isDigestReference(reference)) {
    for await (const descriptor of manifestsOf(exchange.store, { entries, signal: exchange.signal })) {
      if (descriptor.digest === reference) return descriptor;
    }
  }
  throw new RequestFailure(404, ['MANIFEST_UNKNOWN', `no manifest ${reference} in ${repository}`]);
}

/**
 * PUT of a manifest: the raw bytes are what is digested, checked and kept. One that is put by digest can be given tags
 * in the same request.
 */
export async function putManifest(
  exchange: Exchange,
  { repository, reference }: ManifestTarget,
): Promise<void> {
  const { store } = exchange;
  const tags = tagParameters(exchange, reference);
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
  await exchange.protection.protect(needed.map((child) => child.digest));
  if (exchange.requireContent) await refuseWhenMissing(exchange, needed);
  const { subject } = factsOf(raw, descriptor);
  await storeBlob(exchange, { digest, size: raw.byteLength, source: [raw] });
  const names = [reference, ...tags].map((one) => layoutName(repository, one));
  await keepByDigest(exchange, { repository, names, except: digest });
  for (const name of names) await store.tag(name, descriptor);
  sendEmpty(exchange, 201, {
    location: `/v2/${repository}/manifests/${digest}`,
    'docker-content-digest': digest,
    ...(subject === undefined ? {} : { 'oci-subject': subject.digest }),
    ...(tags.length === 0 ? {} : { 'oci-tag': tags.join(', ') }),
  });
}

function tagParameters({ url }: Exchange, reference: string): readonly string[] {
  if (!isDigestReference(reference)) return [];
  const tags = [...new Set(url.searchParams.getAll('tag'))];
  if (tags.length > tagParameterLimit) {
    throw new RequestFailure(414, ['UNSUPPORTED', `more than ${tagParameterLimit} tags in one request`]);
  }
  const wrong = tags.find((tag) => !isTag(tag));
  if (wrong === undefined) return tags;
  throw new RequestFailure(400, ['MANIFEST_INVALID', 'query parameter tag is not a tag']);
}

async function refuseWhenMissing({ store }: Exchange, needed: readonly Descriptor[]): Promise<void> {
  for (const child of needed) {
    if ((await store.size(child.digest)) !== undefined) continue;
    throw new RequestFailure(
      404,
      ['MANIFEST_BLOB_UNKNOWN', `manifest refers to unknown content ${child.digest}`],
      { detail: { digest: child.digest } },
    );
  }
}

/**
 * A manifest outlives its tags: those that only the given names lead to get one by digest before the names go. Other
 * names of the layout, such as another program's, are as good.
 */
async function keepByDigest(
  exchange: Exchange,
  {
    repository,
    names,
    except,
  }: { readonly repository: string; readonly names: readonly string[]; readonly except?: string },
): Promise<void> {
  const entries = await entriesOf(exchange, repository);
  const staying = new Set(
    entries.filter(({ name }) => !names.includes(name)).map(({ descriptor }) => descriptor.digest),
  );
  for (const { name, descriptor } of entries) {
    const { mediaType, digest, size } = descriptor;
    if (!names.includes(name) || digest === except || staying.has(digest)) continue;
    staying.add(digest);
    if ((await exchange.store.size(digest)) !== undefined)
      await exchange.store.tag(layoutName(repository, digest), { mediaType, digest, size });
  }
}

function digestFor(raw: Uint8Array, reference: string): Digest {
  if (!isDigestReference(reference)) return digestBytes(raw);
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
    return [config, ...own];
  } catch (error) {
    if (!isOciError(error)) throw error;
    throw new RequestFailure(400, ['MANIFEST_INVALID', error.message], { detail: { code: error.code } });
  }
}

/**
 * DELETE of a tag, or by digest of every name that leads to the manifest. The bytes stay until the blob is deleted too or
 * garbage is collected.
 */
export async function deleteManifest(exchange: Exchange, target: ManifestTarget): Promise<void> {
  const { store, signal } = exchange;
  const { repository, reference } = target;
  const entries = await entriesOf(exchange, repository);
  const isTagged = !isDigestReference(reference);
  const doomed = entries.filter(({ tag, descriptor }) =>
    isTagged ? tag === reference : descriptor.digest === reference,
  );
  if (doomed.length === 0) {
    await findManifest(exchange, target);
    throw new RequestFailure(405, ['UNSUPPORTED', 'manifest belongs to an index: delete the index']);
  }
  const names = doomed.map(({ name }) => name);
  if (isTagged) await keepByDigest(exchange, { repository, names });
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
  for (const name of names) await store.untag(name);
  sendEmpty(exchange, 202);
}

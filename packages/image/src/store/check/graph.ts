import type { Descriptor } from '../../descriptor.ts';
import { type Digest, isDigest } from '../../digest/digest.ts';
import { isOciError } from '../../errors.ts';
import { MANIFEST_LIMIT } from '../../limits.ts';
import type { Manifest } from '../../manifest/types.ts';
import { isIndexType, isManifestType } from '../../media-types.ts';
import { isDamage } from '../garbage/documents.ts';
import { REF_NAME } from '../layout-index.ts';
import { type LoadedDocument, readDocument } from '../load-image.ts';
import type { Store } from '../store.ts';
import type { StoreProblem } from './problem.ts';

/** What {@link checkGraph} works with. */
export interface CheckGraphOptions {
  /** Blobs that were found damaged: they are reported already. */
  readonly damaged: ReadonlySet<Digest>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Checks that each image of the layout is complete: every manifest that is there has its config and layers, every
 * entry of `index.json` is there, and of an index at least one entry. The other platforms of an index need not be
 * there, nor the subject of a manifest (image-spec `image-index.md`, `manifest.md`).
 */
export async function checkGraph(
  store: Store,
  { damaged, signal }: CheckGraphOptions,
): Promise<readonly StoreProblem[]> {
  const problems = new Map<Digest, { readonly problem: StoreProblem; readonly images: Set<string> }>();
  for (const entry of await store.entries()) {
    const image = entry.annotations?.[REF_NAME] ?? entry.digest;
    for (const problem of await checkEntry(store, entry, { damaged, signal })) {
      const digest = problem.digest ?? entry.digest;
      const known = problems.get(digest) ?? { problem, images: new Set<string>() };
      known.images.add(image);
      problems.set(digest, known);
    }
  }
  return [...problems.values()].map(({ problem, images }) => ({
    ...problem,
    images: [...images],
    message: `${problem.message}; needed by ${[...images].join(', ')}`,
  }));
}

/** The problems of one entry of `index.json`; each digest is looked at once, so that circles end. */
async function checkEntry(
  store: Store,
  entry: Descriptor,
  { damaged, signal }: CheckGraphOptions,
): Promise<StoreProblem[]> {
  const problems: StoreProblem[] = [];
  const visited = new Set<Digest>();
  const open = [entry];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (visited.has(next.digest) || damaged.has(next.digest)) continue;
    visited.add(next.digest);
    signal?.throwIfAborted();
    if (!(await isThere(store, next))) {
      problems.push(missing(next, describe(next)));
      continue;
    }
    const found = await document(store, next, { signal });
    if (found === undefined) continue;
    if ('kind' in found && !('raw' in found)) problems.push(found);
    else if (found.kind === 'manifest') problems.push(...(await checkBlobs(store, found.manifest, damaged)));
    else {
      const present = await presentOf(store, found.index.manifests);
      open.push(...present);
      const [first] = found.index.manifests;
      if (
        first !== undefined &&
        present.length === 0 &&
        !found.index.manifests.some(({ digest }) => damaged.has(digest))
      )
        problems.push(missing(first, 'a manifest of each platform'));
    }
  }
  return problems;
}

async function presentOf(store: Store, descriptors: readonly Descriptor[]): Promise<readonly Descriptor[]> {
  const present: Descriptor[] = [];
  for (const descriptor of descriptors) if (await isThere(store, descriptor)) present.push(descriptor);
  return present;
}

async function checkBlobs(
  store: Store,
  { config, layers }: Manifest,
  damaged: ReadonlySet<Digest>,
): Promise<StoreProblem[]> {
  const problems: StoreProblem[] = [];
  for (const blob of [config, ...layers]) {
    // A layer with urls is fetched from there by whoever needs it (image-spec `descriptor.md`, "urls").
    const elsewhere = blob.urls !== undefined && blob.urls.length > 0;
    if (damaged.has(blob.digest) || elsewhere || (await isThere(store, blob))) continue;
    problems.push(missing(blob, blob === config ? 'config' : 'layer'));
  }
  return problems;
}

/** A document, what is wrong with it, or undefined for a blob of another kind. */
async function document(
  store: Store,
  descriptor: Descriptor,
  { signal }: Pick<CheckGraphOptions, 'signal'>,
): Promise<LoadedDocument | StoreProblem | undefined> {
  const { mediaType, digest, size } = descriptor;
  if (!isIndexType(mediaType) && !isManifestType(mediaType)) return undefined;
  if (size > MANIFEST_LIMIT || !isDigest(digest)) return undefined;
  try {
    return await readDocument(store, descriptor, { signal });
  } catch (error) {
    if (!isOciError(error)) throw error;
    const { code, message } = error;
    if (code === 'ERR_OCI_BLOB_NOT_FOUND') return missing(descriptor, describe(descriptor));
    const kind = isDamage(error) ? 'damaged-blob' : 'invalid-document';
    return { kind, digest, message: `${describe(descriptor)} ${digest} is invalid: ${message}` };
  }
}

/** Whether the store has it, or the descriptor itself holds it. */
async function isThere(store: Store, { digest, data }: Descriptor): Promise<boolean> {
  return data !== undefined || (await store.size(digest)) !== undefined;
}

function missing({ digest, size }: Descriptor, what: string): StoreProblem {
  return { kind: 'missing-blob', digest, message: `${what} ${digest} of ${size} bytes is missing` };
}

function describe({ mediaType }: Descriptor): string {
  if (isIndexType(mediaType)) return 'index';
  return isManifestType(mediaType) ? 'manifest' : 'blob';
}

import { layerCompression } from '../compression/detect.ts';
import type { Descriptor } from '../descriptor.ts';
import { ImageError } from '../errors.ts';
import type { OnEvent } from '../events.ts';
import { MANIFEST_LIMIT, VALIDATED_DOCUMENTS_LIMIT } from '../limits.ts';
import { parseManifestOrIndex } from '../manifest/manifest.ts';
import type { Index, Manifest } from '../manifest/types.ts';
import { isIndexType, isManifestType, MediaType } from '../media-types.ts';
import { loadImage, type ReadableContent } from '../store/load-image.ts';
import { checkConfigDocument, checkManifestDocument } from './documents.ts';
import { validateImage } from './validate-image.ts';
import { type Violation, violationOf } from './violation.ts';

/** Options of {@link validateTree}. */
export interface ValidateTreeOptions {
  readonly signal?: AbortSignal | undefined;
  /** Receives `layer-progress` and `layer-done`. */
  readonly onEvent?: OnEvent | undefined;
}

interface Walk extends ValidateTreeOptions {
  readonly content: ReadableContent;
  readonly seen: Set<string>;
}

/**
 * Recomputes everything that a manifest, or an index and all below it, says: as {@link validateImage} for images; for
 * artifacts digest and size of every blob, and that they have a type; for indexes that every entry is there and is what
 * it is said to be. All that is wrong is returned, each with the digest of its document.
 *
 * Throws only when it cannot look, ERR_OCI_LIMIT_EXCEEDED beyond 10,000 documents, and the signal's reason.
 */
export async function validateTree(
  content: ReadableContent,
  top: Descriptor,
  options: ValidateTreeOptions = {},
): Promise<readonly Violation[]> {
  return visit(top, { ...options, content, seen: new Set() });
}

async function visit(descriptor: Descriptor, walk: Walk): Promise<Violation[]> {
  const { content, signal, seen } = walk;
  const { mediaType, digest } = descriptor;
  signal?.throwIfAborted();
  // The same manifest under another type or platform is looked at again.
  const key = JSON.stringify(descriptor);
  if (seen.has(key)) return [];
  seen.add(key);
  if (seen.size > VALIDATED_DOCUMENTS_LIMIT)
    throw new ImageError(
      'ERR_OCI_LIMIT_EXCEEDED',
      `there are more than ${VALIDATED_DOCUMENTS_LIMIT} documents`,
      {
        limit: VALIDATED_DOCUMENTS_LIMIT,
      },
    );
  const document = isIndexType(mediaType) ? 'index' : 'manifest';
  const own = (violations: readonly Violation[]): Violation[] =>
    violations.map((violation) => ({ digest, ...violation }));
  let raw: Uint8Array;
  try {
    raw = await content.readAll(descriptor, { signal, limit: MANIFEST_LIMIT });
  } catch (error) {
    signal?.throwIfAborted();
    return own([violationOf(error, { document: 'descriptor', jsonPath: '$' })]);
  }
  const faults = checkManifestDocument(raw, { mediaType, document });
  if (faults.length > 0) return own(faults);
  const parsed = parseManifestOrIndex(raw, { mediaType });
  if (parsed.kind === 'index') return visitIndex(parsed.index, walk);
  const below = isImage(parsed.manifest)
    ? await visitImage(descriptor, { manifest: parsed.manifest, walk })
    : await visitArtifact(parsed.manifest, walk);
  return own(below);
}

async function visitIndex({ manifests }: Index, walk: Walk): Promise<Violation[]> {
  const violations: Violation[] = [];
  for (const entry of manifests)
    if (isIndexType(entry.mediaType) || isManifestType(entry.mediaType))
      violations.push(...(await visit(entry, walk)));
  return violations;
}

/** Not an artifact that borrows the media type of an image's config, as BuildKit's attestations do. */
function isImage({ artifactType, config, layers }: Manifest): boolean {
  const isConfig = config.mediaType === MediaType.config || config.mediaType === MediaType.dockerConfig;
  const isLayered = layers.some(({ mediaType }) => layerCompression(mediaType) !== undefined);
  return isConfig && artifactType === undefined && (isLayered || layers.length === 0);
}

async function visitImage(
  descriptor: Descriptor,
  { manifest, walk }: { readonly manifest: Manifest; readonly walk: Walk },
): Promise<readonly Violation[]> {
  const { content, signal } = walk;
  try {
    return await validateImage(await loadImage(content, descriptor, { signal }), walk);
  } catch (error) {
    signal?.throwIfAborted();
    // The config cannot be read: the layers are only bytes then.
    const fault = violationOf(error, { document: 'config', jsonPath: '$' });
    const all = await configFaults(manifest, walk);
    const layers = await checkBlobs(manifest, { ...walk, blobs: ['layers'] });
    return [...(all.length > 0 ? all : [fault]), ...layers];
  }
}

async function configFaults({ config }: Manifest, { content, signal }: Walk): Promise<readonly Violation[]> {
  try {
    return checkConfigDocument(await content.readAll(config, { signal }));
  } catch (error) {
    signal?.throwIfAborted();
    return [violationOf(error, { document: 'manifest', jsonPath: '$.config' })];
  }
}

async function visitArtifact(manifest: Manifest, walk: Walk): Promise<readonly Violation[]> {
  const { config, artifactType } = manifest;
  const violations = await checkBlobs(manifest, { ...walk, blobs: ['config', 'layers'] });
  if (config.mediaType !== MediaType.empty || artifactType !== undefined) return violations;
  const untyped: Violation = {
    document: 'manifest',
    jsonPath: '$.artifactType',
    code: 'ERR_OCI_MANIFEST_INVALID',
    message: 'an artifact without a config has no artifactType',
  };
  return [untyped, ...violations];
}

/** Reads blobs for the sake of the gate alone. */
async function checkBlobs(
  { config, layers }: Manifest,
  { content, signal, blobs }: Walk & { readonly blobs: readonly ('config' | 'layers')[] },
): Promise<Violation[]> {
  const wanted = [
    ...(blobs.includes('config') ? [{ blob: config, jsonPath: '$.config' }] : []),
    ...layers.map((blob, index) => ({ blob, jsonPath: `$.layers[${index}]` })),
  ];
  const violations: Violation[] = [];
  for (const { blob, jsonPath } of wanted) {
    try {
      const iterator = content.read(blob, { signal })[Symbol.asyncIterator]();
      while ((await iterator.next()).done !== true) signal?.throwIfAborted();
    } catch (error) {
      signal?.throwIfAborted();
      violations.push(violationOf(error, { document: 'manifest', jsonPath }));
    }
  }
  return violations;
}

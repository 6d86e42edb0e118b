import {
  type Descriptor,
  type Digest,
  encodeJson,
  isDigest,
  layerCompression,
  parseDescriptor,
  parseJson,
} from '@ocijs/image';
import { BuildError } from '../errors.ts';
import { MAX_CACHE_CONFIG_BYTES, MAX_CACHE_RECORDS } from '../limits.ts';

/** The media type of a cache that is kept outside of a store: BuildKit's, whose form it has. Keys are those of one program alone. */
export const CACHE_CONFIG_TYPE = 'application/vnd.buildkit.cacheconfig.v0';

/** A layer of a cache, with what its archive is. */
export interface CachedLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

/** What steps made: by key, a layer, or nothing. */
export interface CacheRecord {
  readonly key: string;
  readonly layer: CachedLayer | undefined;
}

/** The content of a cache mount. */
export interface CachedMount extends CachedLayer {
  /** The name that the directory has in a store. */
  readonly name: string;
}

/** All that a cache says. */
export interface CacheConfig {
  readonly records: readonly CacheRecord[];
  readonly mounts: readonly CachedMount[];
}

/** Writes a cache down, the same for the same content. */
export function cacheDocument({ records, mounts }: CacheConfig): object {
  const layers = uniqueLayers(records.flatMap(({ layer }) => (layer === undefined ? [] : [layer])));
  const places = new Map(layers.map(({ descriptor }, index) => [descriptor.digest, index]));
  return {
    layers: layers.map((layer) => ({ ...layerDocument(layer), parent: -1 })),
    records: records
      .map(({ key, layer }) => ({
        digest: `sha256:${key}`,
        ...(layer === undefined ? {} : { layers: [{ layer: places.get(layer.descriptor.digest) }] }),
      }))
      .sort((a, b) => (a.digest < b.digest ? -1 : 1)),
    ...(mounts.length === 0
      ? {}
      : { mounts: mounts.map((mount) => ({ name: mount.name, ...layerDocument(mount) })) }),
  };
}

/** The field of an image config that BuildKit keeps such a document in, as base64. */
const inlineField = 'moby.buildkit.cache.v0';

/** What an image config gets when it is a cache as well. */
export function inlineCache(cache: CacheConfig | undefined): object {
  if (cache === undefined) return {};
  return { [inlineField]: Buffer.from(encodeJson(cacheDocument(cache))).toString('base64') };
}

/** The document in an image config; undefined when it is none of a cache. */
export function readInlineCache(config: object): Uint8Array | undefined {
  const text = (config as Readonly<Record<string, unknown>>)[inlineField];
  return typeof text === 'string' ? Buffer.from(text, 'base64') : undefined;
}

/** Each blob once, in the order of their digests. */
export function uniqueLayers(layers: readonly CachedLayer[]): readonly CachedLayer[] {
  const found = new Map(layers.map((layer) => [layer.descriptor.digest, layer]));
  return [...found.values()].sort((a, b) => (a.descriptor.digest < b.descriptor.digest ? -1 : 1));
}

function layerDocument({ descriptor: { digest, mediaType, size }, diffId }: CachedLayer): object {
  return { blob: digest, annotations: { mediaType, diffID: diffId, size } };
}

/**
 * Reads a cache that somebody else has written. Records of another form, such as BuildKit's own, are passed over.
 *
 * @throws BuildError `ERR_OCI_BUILD_CACHE_INVALID`
 */
export function parseCacheConfig(bytes: Uint8Array, name: string): CacheConfig {
  const value = parseDocument(bytes, name);
  const layers = listOf(value, 'layers').map(parseLayer);
  const records = listOf(value, 'records').flatMap((record) => parseRecord(record, layers));
  const mounts = listOf(value, 'mounts').flatMap(parseMount);
  if (layers.length + records.length + mounts.length > MAX_CACHE_RECORDS)
    throw invalid(name, `has more than ${MAX_CACHE_RECORDS} records`);
  return { records, mounts };
}

function parseDocument(bytes: Uint8Array, name: string): unknown {
  try {
    return parseJson(bytes, { limit: MAX_CACHE_CONFIG_BYTES, what: name });
  } catch (cause) {
    throw invalid(name, 'cannot be read', cause);
  }
}

function invalid(name: string, why: string, cause?: unknown): BuildError {
  return new BuildError('ERR_OCI_BUILD_CACHE_INVALID', `the cache ${name} ${why}`, { cause });
}

function listOf(value: unknown, key: string): readonly unknown[] {
  const list = fieldsOf(value)[key];
  return Array.isArray(list) ? list : [];
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function parseLayer(value: unknown): CachedLayer | undefined {
  const { blob, annotations } = fieldsOf(value);
  const { mediaType, diffID, size } = fieldsOf(annotations);
  if (typeof diffID !== 'string' || !isDigest(diffID)) return undefined;
  try {
    const { digest, ...rest } = parseDescriptor({ digest: blob, mediaType, size }, '$.layers');
    if (layerCompression(rest.mediaType) === undefined) return undefined;
    return { descriptor: { mediaType: rest.mediaType, digest, size: rest.size }, diffId: diffID };
  } catch {
    // The step runs.
    return undefined;
  }
}

function parseRecord(value: unknown, layers: readonly (CachedLayer | undefined)[]): readonly CacheRecord[] {
  const { digest } = fieldsOf(value);
  const [, key] = typeof digest === 'string' ? (/^sha256:([0-9a-f]{64})$/.exec(digest) ?? []) : [];
  if (key === undefined) return [];
  const results = listOf(value, 'layers');
  if (results.length === 0) return 'inputs' in fieldsOf(value) ? [] : [{ key, layer: undefined }];
  const { layer: place } = fieldsOf(results[0]);
  const layer = typeof place === 'number' ? layers[place] : undefined;
  return layer === undefined ? [] : [{ key, layer }];
}

function parseMount(value: unknown): readonly CachedMount[] {
  const { name } = fieldsOf(value);
  const layer = parseLayer(value);
  const isName = typeof name === 'string' && /^[0-9a-f]{64}$/.test(name);
  return layer === undefined || !isName ? [] : [{ ...layer, name }];
}

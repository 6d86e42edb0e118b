import { detectCompression, MAGIC_BYTES } from '../compression/detect.ts';
import type { Compression } from '../compression/types.ts';
import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest/digest.ts';
import { createHasher, digestBytes } from '../digest/hasher.ts';
import { encodeJson } from '../json/encode.ts';
import { CONFIG_LIMIT, MANIFEST_LIMIT } from '../limits.ts';
import { parseImageConfig } from '../manifest/config.ts';
import type { Manifest } from '../manifest/types.ts';
import { MediaType } from '../media-types.ts';
import { REF_NAME } from '../store/layout-index.ts';
import { platformOf } from '../store/load-image.ts';
import { quoteName } from '../tar/failure.ts';
import { type BlobPlace, type ImageCollection, imageCollection } from '../transport/collection.ts';
import { fullName } from '../transport/names.ts';
import { type DockerArchiveImage, parseDockerManifest } from './docker-manifest.ts';
import { invalidArchive } from './failure.ts';
import type { MemberIndex } from './member-index.ts';
import type { FilePart } from './random-access.ts';

const layerTypes: Readonly<Record<Compression, string>> = {
  none: MediaType.layer,
  gzip: MediaType.layerGzip,
  zstd: MediaType.layerZstd,
};

/**
 * The images of an archive of `docker save`. It has no manifests, so they are made here: OCI, the config as it is,
 * and each layer as it is in the archive. An uncompressed layer has the digest that the config promises, and is
 * verified when it is read; a compressed one is read once now, to know its digest.
 */
export async function dockerArchive(
  members: MemberIndex,
  { signal }: { readonly signal: AbortSignal | undefined },
): Promise<ImageCollection> {
  const { file } = members;
  const raw = await members.readDocument('manifest.json', MANIFEST_LIMIT);
  if (raw === undefined)
    throw invalidArchive(file.location, 'has no manifest.json', {
      hint:
        members.find('index.json') === undefined
          ? 'an archive of `docker save` has the member manifest.json'
          : 'it is an archive of an image layout: oci-archive:FILE',
    });
  const reader = createReader(members, signal);
  const entries: Descriptor[] = [];
  for (const image of parseDockerManifest(raw, file.location))
    entries.push(...(await reader.entriesOf(image)));
  return imageCollection({
    location: file.location,
    entries,
    find: (digest) => reader.places.get(digest),
    close: () => file[Symbol.asyncDispose](),
  });
}

interface Reader {
  readonly places: ReadonlyMap<Digest, BlobPlace>;
  entriesOf(image: DockerArchiveImage): Promise<readonly Descriptor[]>;
}

function createReader(members: MemberIndex, signal: AbortSignal | undefined): Reader {
  const { file } = members;
  const places = new Map<Digest, BlobPlace>();
  /** By place in the archive: however often a manifest.json names a member, it is read once. */
  const compressed = new Map<number, Promise<Digest>>();
  const documents = new Map<number, Promise<Buffer>>();

  const partOf = (name: string): FilePart => {
    const part = members.find(name);
    if (part !== undefined) return part;
    throw invalidArchive(file.location, `lacks the member ${quoteName(name)} that its manifest.json names`, {
      entry: name,
    });
  };

  async function readConfig(name: string): Promise<Buffer> {
    const { offset, length } = partOf(name);
    if (length > CONFIG_LIMIT)
      throw invalidArchive(file.location, `has an image config of more than ${CONFIG_LIMIT} bytes`, {
        entry: name,
        limit: CONFIG_LIMIT,
        actual: length,
      });
    const found = documents.get(offset) ?? file.read(offset, length);
    documents.set(offset, found);
    return found;
  }

  async function describeLayer(name: string, diffId: Digest): Promise<Descriptor> {
    signal?.throwIfAborted();
    const part = partOf(name);
    const compression = detectCompression(await file.read(part.offset, Math.min(MAGIC_BYTES, part.length)));
    const hashing = compression === 'none' ? Promise.resolve(diffId) : compressed.get(part.offset);
    const found = hashing ?? hashPart(part);
    if (compression !== 'none') compressed.set(part.offset, found);
    const digest = await found;
    places.set(digest, { size: part.length, open: (options) => file.chunks(part, options) });
    return { mediaType: layerTypes[compression], digest, size: part.length };
  }

  async function hashPart(part: FilePart): Promise<Digest> {
    const hasher = createHasher('sha256');
    for await (const chunk of file.chunks(part, { signal })) hasher.update(chunk);
    return hasher.digest();
  }

  const keep = (bytes: Uint8Array, mediaType: string): Descriptor => {
    const digest = digestBytes(bytes);
    places.set(digest, { size: bytes.length, open: () => once(bytes) });
    return { mediaType, digest, size: bytes.length };
  };

  return {
    places,
    async entriesOf({ Config, RepoTags = [], Layers = [] }) {
      const rawConfig = await readConfig(Config);
      const config = parseImageConfig(rawConfig);
      const diffIds = config.rootfs.diff_ids;
      if (diffIds.length !== Layers.length)
        throw invalidArchive(
          file.location,
          `has ${Layers.length} layers for the ${diffIds.length} diffIDs of ${quoteName(Config)}`,
          { entry: Config, expected: diffIds.length, actual: Layers.length },
        );
      const layers: Descriptor[] = [];
      for (const [index, diffId] of diffIds.entries())
        layers.push(await describeLayer(Layers[index] ?? '', diffId));
      const manifest: Manifest = {
        schemaVersion: 2,
        mediaType: MediaType.manifest,
        config: keep(rawConfig, MediaType.config),
        layers,
      };
      const descriptor = { ...keep(encodeJson(manifest), MediaType.manifest), platform: platformOf(config) };
      if (RepoTags.length === 0) return [descriptor];
      return RepoTags.map((tag) => ({
        ...descriptor,
        annotations: { [REF_NAME]: nameOf(tag, file.location) },
      }));
    },
  };
}

function nameOf(tag: string, location: string): string {
  const name = fullName(tag);
  if (name !== undefined) return name;
  throw invalidArchive(location, `has an image with the impossible name ${quoteName(tag)}`, {
    reference: tag,
  });
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

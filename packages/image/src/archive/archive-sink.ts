import { layerCompression } from '../compression/detect.ts';
import type { Descriptor } from '../descriptor.ts';
import { type Digest, digestAlgorithm, digestHex } from '../digest/digest.ts';
import { verifiedStream, verifyBytes } from '../digest/verify.ts';
import { encodeJson } from '../json/encode.ts';
import { parseManifest } from '../manifest/manifest.ts';
import { isIndexType, MediaType } from '../media-types.ts';
import { familiarReference, parseReference } from '../reference/reference.ts';
import { REF_NAME } from '../store/layout-index.ts';
import { layoutMarker } from '../store/layout-marker.ts';
import { createTarWriter, type TarBody } from '../tar/writer.ts';
import { CONTAINERD_NAME, fullName } from '../transport/names.ts';
import type { ImageSink } from '../transport/sink.ts';
import type { DockerArchiveImage } from './docker-manifest.ts';
import { invalidArchive } from './failure.ts';
import type { ArchiveFormat } from './open-archive.ts';
import { type ArchiveOutput, openOutput } from './output.ts';

/** Options of {@link archiveSink}. */
export interface ArchiveSinkOptions {
  readonly format: ArchiveFormat;
  /** What an output that is no file is called in messages. */
  readonly location?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes images into a tar archive of an OCI image layout; as `docker`, with the `manifest.json` of `docker save` beside
 * it, for which layers must be uncompressed. Equal images give equal bytes. The file appears on commit.
 *
 * Throws ERR_OCI_ARCHIVE_FAILED; ERR_OCI_ARCHIVE_INVALID for what Docker's format cannot hold.
 */
export async function archiveSink(
  output: ArchiveOutput,
  { format, location = typeof output === 'string' ? output : 'the archive', signal }: ArchiveSinkOptions,
): Promise<ImageSink> {
  signal?.throwIfAborted();
  const file = await openOutput(output);
  const tar = createTarWriter();
  const pumping = pump(tar.stream, file.write).catch((error: unknown) => {
    tar.abort(error instanceof Error ? error : new Error(String(error)));
    return { error };
  });
  const written = new Set<string>();
  const manifests = new Map<Digest, Uint8Array>();
  const images: { readonly descriptor: Descriptor; readonly name: string | undefined }[] = [];
  let ended = false;

  /** What broke the output is told rather than what that did to the tar writer. */
  const entry = async (name: string, size: number, body: TarBody): Promise<void> => {
    signal?.throwIfAborted();
    try {
      await tar.entry({ name, size }, body);
    } catch (error) {
      tar.abort(error instanceof Error ? error : new Error(String(error)));
      const failed = await pumping;
      throw failed === undefined || failed.error === undefined ? error : failed.error;
    }
  };
  const blob = async (descriptor: Descriptor, body: TarBody): Promise<void> => {
    const name = blobName(descriptor.digest);
    if (written.has(name)) return;
    await entry(name, descriptor.size, body);
    written.add(name);
  };

  return {
    location,
    sequential: true,
    has: async ({ digest }) => written.has(blobName(digest)),
    writeBlob: (descriptor, source, options = {}) =>
      blob(descriptor, verifiedStream(source, { ...descriptor, signal: options.signal ?? signal })),
    async writeManifest(descriptor, bytes) {
      verifyBytes(bytes, descriptor);
      manifests.set(descriptor.digest, bytes);
      await blob(descriptor, bytes);
    },
    async add(descriptor, name) {
      images.push({ descriptor, name });
    },
    async commit() {
      await entry('oci-layout', layoutMarker.length, layoutMarker);
      const index = encodeJson(layoutIndex(images, format));
      await entry('index.json', index.length, index);
      if (format === 'docker') {
        const manifest = encodeJson(dockerManifest(images, { manifests, location }));
        await entry('manifest.json', manifest.length, manifest);
      }
      await tar.finish();
      const failed = await pumping;
      if (failed !== undefined) throw failed.error;
      await file.commit();
      ended = true;
    },
    async [Symbol.asyncDispose]() {
      if (!ended) tar.abort(new Error(`${location} was given up`));
      await pumping;
      await file[Symbol.asyncDispose]();
    },
  };
}

async function pump(
  source: AsyncIterable<Uint8Array>,
  write: (chunk: Uint8Array) => Promise<void>,
): Promise<undefined> {
  for await (const chunk of source) await write(chunk);
}

function blobName(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}

interface NamedDescriptor {
  readonly descriptor: Descriptor;
  readonly name: string | undefined;
}

function layoutIndex(images: readonly NamedDescriptor[], format: ArchiveFormat): object {
  const manifests = images.map(({ descriptor, name }) => {
    const { [REF_NAME]: _tag, [CONTAINERD_NAME]: _name, ...others } = descriptor.annotations ?? {};
    const annotations = { ...others, ...nameAnnotations(name, format) };
    const { annotations: _annotations, ...rest } = descriptor;
    return Object.keys(annotations).length === 0 ? rest : { ...rest, annotations };
  });
  return { schemaVersion: 2, mediaType: MediaType.index, manifests };
}

/** Docker and containerd look for the full name in an annotation of their own, and for the tag alone in the standard one. */
function nameAnnotations(name: string | undefined, format: ArchiveFormat): Readonly<Record<string, string>> {
  if (name === undefined) return {};
  const full = format === 'docker' ? fullName(name) : undefined;
  if (full === undefined) return { [REF_NAME]: name };
  return { [CONTAINERD_NAME]: full, [REF_NAME]: parseReference(full).tag ?? full };
}

function dockerManifest(
  images: readonly NamedDescriptor[],
  { manifests, location }: { readonly manifests: ReadonlyMap<Digest, Uint8Array>; readonly location: string },
): object {
  const found = new Map<Digest, DockerArchiveImage>();
  for (const { descriptor, name } of images) {
    const { digest, mediaType } = descriptor;
    const raw = manifests.get(digest);
    if (raw === undefined || isIndexType(mediaType))
      throw invalidArchive(location, `cannot hold ${digest}: Docker's archives have images of one platform`, {
        digest,
        hint: 'choose a platform, or write an OCI archive',
      });
    const { config, layers } = parseManifest(raw, { mediaType });
    const compressed = layers.find((layer) => layerCompression(layer.mediaType) !== 'none');
    if (compressed !== undefined)
      throw invalidArchive(
        location,
        `cannot hold layer ${compressed.digest}: it is not an uncompressed tar`,
        {
          digest: compressed.digest,
        },
      );
    const tags = [...(found.get(digest)?.RepoTags ?? []), ...dockerTag(name)];
    found.set(digest, {
      Config: blobName(config.digest),
      RepoTags: tags,
      Layers: layers.map((layer) => blobName(layer.digest)),
    });
  }
  return [...found.values()];
}

function dockerTag(name: string | undefined): readonly string[] {
  const full = name === undefined ? undefined : fullName(name);
  if (full === undefined) return [];
  const { registry, repository, tag } = parseReference(full);
  return tag === undefined ? [] : [familiarReference({ registry, repository, tag })];
}

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import {
  type Descriptor,
  type Digest,
  digestBytes,
  type ExecutionConfig,
  type ImageSource,
  MediaType,
  writeTar,
} from '@ocijs/image';
import type { TestEntry } from '../../rootfs/testing/entries.ts';

/** A layer of a test image. */
export interface TestLayer {
  readonly blob: Buffer;
  readonly mediaType: string;
  readonly diffId: Digest;
}

/** How test layers and images are made. */
export interface TestImageOptions {
  readonly config?: ExecutionConfig;
  /** Where blobs are files; without it they are streamed in chunks of this many bytes. */
  readonly directory?: string;
  readonly chunkSize?: number;
  /** Changes a layer after its digests were taken. */
  readonly damage?: (blob: Buffer, index: number) => Buffer;
}

/** The bytes of a tar archive. */
export async function tarBytes(entries: readonly TestEntry[]): Promise<Buffer> {
  const written = entries.map(({ content, xattrs, ...fields }) => ({
    header: {
      name: '',
      mtimeNs: 1_600_000_000_000_000_000n,
      ...fields,
      ...(xattrs === undefined
        ? {}
        : { xattrs: new Map(Object.entries(xattrs).map(([name, value]) => [name, Buffer.from(value)])) }),
    },
    ...(content === undefined ? {} : { body: Buffer.from(content) }),
  }));
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeTar(written)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** A layer from an archive. */
export function layerOf(tar: Buffer, compression: 'gzip' | 'zstd' | 'none' = 'gzip'): TestLayer {
  const diffId = digestBytes(tar);
  if (compression === 'none') return { blob: tar, mediaType: MediaType.layer, diffId };
  return compression === 'gzip'
    ? { blob: gzipSync(tar), mediaType: MediaType.layerGzip, diffId }
    : { blob: zstdCompressSync(tar), mediaType: MediaType.layerZstd, diffId };
}

/** An image source over layers in memory or in files. */
export function memoryImage(layers: readonly TestLayer[], options: TestImageOptions = {}): ImageSource {
  const { config, directory, chunkSize = 10_000, damage = (blob) => blob } = options;
  const blobs = new Map<string, Buffer>();
  const descriptors = layers.map(({ blob, mediaType }, index): Descriptor => {
    const digest = digestBytes(blob);
    blobs.set(digest, damage(Buffer.from(blob), index));
    return { mediaType, digest, size: blob.length };
  });
  const platform = { os: 'linux', architecture: 'amd64' };
  const parsedConfig = {
    ...platform,
    ...(config === undefined ? {} : { config }),
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
  } as const;
  const rawConfig = Buffer.from(JSON.stringify(parsedConfig));
  const configDescriptor = {
    mediaType: MediaType.config,
    digest: digestBytes(rawConfig),
    size: rawConfig.length,
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    config: configDescriptor,
    layers: descriptors,
  } as const;
  const rawManifest = Buffer.from(JSON.stringify(manifest));
  const image = {
    name: 'test/image:latest',
    descriptor: { mediaType: MediaType.manifest, digest: digestBytes(rawManifest), size: rawManifest.length },
    manifest,
    rawManifest,
    config: parsedConfig,
    rawConfig,
    platform,
    async *openBlob({ digest }: Descriptor) {
      const blob = blobs.get(digest) ?? Buffer.of();
      for (let start = 0; start < blob.length; start += chunkSize)
        yield blob.subarray(start, start + chunkSize);
    },
  };
  if (directory === undefined) return image;
  return {
    ...image,
    blobFile: ({ digest }) => {
      const path = join(directory, createHash('sha256').update(digest).digest('hex'));
      writeFileSync(path, blobs.get(digest) ?? '');
      return path;
    },
  };
}

import { existsSync } from 'node:fs';
import type { Descriptor } from '../descriptor.ts';
import { digestAlgorithm } from '../digest/digest.ts';
import { verifyBytes } from '../digest/verify.ts';
import { ImageError, isOciError } from '../errors.ts';
import { CONFIG_LIMIT, MANIFEST_LIMIT } from '../limits.ts';
import { parseImageConfig } from '../manifest/config.ts';
import { parseManifestOrIndex } from '../manifest/manifest.ts';
import type { ImageConfig, Manifest } from '../manifest/types.ts';
import { MediaType } from '../media-types.ts';
import { matchesPlatform } from '../platform/match.ts';
import { formatPlatform } from '../platform/parse.ts';
import type { Platform } from '../platform.ts';
import type { ImageSource } from '../source.ts';
import { chooseManifest } from './choose-manifest.ts';
import type { ContentStore } from './content-store.ts';

/** What an image is read from: any {@link ContentStore}, or a registry. */
export type ReadableContent = Pick<ContentStore, 'read' | 'readAll' | 'file'> & Pick<ImageSource, 'listings'>;

/** Options of {@link loadImage}. */
export interface LoadImageOptions {
  /** What a person calls the image; for messages. Default: the digest. */
  readonly name?: string | undefined;
  /** Default: that of this host when there is a choice. When given, a single manifest must fit too. */
  readonly platform?: Platform | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A manifest or index, verified before it was parsed. */
export type LoadedDocument = ReturnType<typeof parseManifestOrIndex> & { readonly raw: Uint8Array };

/**
 * Opens the image behind a descriptor: follows indexes to the manifest of the platform, and reads manifest and
 * config, each verified against its digest before it is parsed. The layers are not read.
 *
 * Throws ERR_OCI_BLOB_NOT_FOUND, ERR_OCI_DIGEST_MISMATCH, ERR_OCI_SIZE_MISMATCH, ERR_OCI_LIMIT_EXCEEDED, what the
 * parsers throw, ERR_OCI_PLATFORM_NOT_FOUND, and for an artifact that is no container image
 * ERR_OCI_MEDIA_TYPE_UNSUPPORTED or ERR_OCI_CONFIG_INVALID.
 */
export async function loadImage(
  content: ReadableContent,
  descriptor: Descriptor,
  options: LoadImageOptions = {},
): Promise<ImageSource> {
  const { signal, platform: wanted, name = descriptor.digest } = options;
  signal?.throwIfAborted();
  const top = await readDocument(content, descriptor, { signal });
  if (top.kind === 'index') {
    const chosen = await chooseManifest(content, top.index, { name, platform: wanted, signal });
    const found = await readDocument(content, chosen, { signal });
    if (found.kind === 'manifest')
      return imageOf(content, { ...found, descriptor: chosen }, { name, signal });
    throw unexpectedIndex(chosen);
  }
  const image = await imageOf(content, { ...top, descriptor }, { name, signal });
  if (wanted !== undefined) assertPlatform(image, wanted);
  return image;
}

/** Reads a manifest or an index; embedded `data` instead of the blob when there is any, and when it is the blob. */
export async function readDocument(
  content: Pick<ContentStore, 'readAll'>,
  descriptor: Descriptor,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<LoadedDocument> {
  const raw = await readVerified(content, descriptor, { limit: MANIFEST_LIMIT, signal });
  return { ...parseManifestOrIndex(raw, { mediaType: descriptor.mediaType }), raw };
}

/** Reads the image config of a manifest. Throws ERR_OCI_MEDIA_TYPE_UNSUPPORTED for the manifest of an artifact. */
export async function readConfig(
  content: Pick<ContentStore, 'readAll'>,
  manifest: Manifest,
  { name, signal }: LoadImageOptions = {},
): Promise<{ readonly config: ImageConfig; readonly rawConfig: Uint8Array }> {
  const { mediaType } = manifest.config;
  if (mediaType !== MediaType.config && mediaType !== MediaType.dockerConfig) {
    const type = manifest.artifactType ?? mediaType;
    throw new ImageError('ERR_OCI_MEDIA_TYPE_UNSUPPORTED', `${name} is an artifact, not a container image`, {
      jsonPath: '$.config.mediaType',
      expected: MediaType.config,
      actual: mediaType,
      ...(name === undefined ? {} : { reference: name }),
      hint: `its type is ${type}; it has no root file system to unpack or run`,
    });
  }
  const rawConfig = await readVerified(content, manifest.config, { limit: CONFIG_LIMIT, signal });
  return { config: parseNamedConfig(rawConfig, name ?? manifest.config.digest), rawConfig };
}

function parseNamedConfig(rawConfig: Uint8Array, name: string): ImageConfig {
  try {
    return parseImageConfig(rawConfig);
  } catch (error) {
    if (!isOciError(error, 'ERR_OCI_CONFIG_INVALID')) throw error;
    throw new ImageError(
      'ERR_OCI_CONFIG_INVALID',
      `the config of ${name} is not one of an image: ${error.message}`,
      {
        ...error.facts,
        reference: name,
        cause: error,
        hint: error.hint ?? 'it may be an artifact that only borrows the media type of an image config',
      },
    );
  }
}

async function readVerified(
  content: Pick<ContentStore, 'readAll'>,
  descriptor: Descriptor,
  { limit, signal }: { readonly limit: number; readonly signal: AbortSignal | undefined },
): Promise<Uint8Array> {
  const { data } = descriptor;
  if (data === undefined) return content.readAll(descriptor, { limit, signal });
  digestAlgorithm(descriptor.digest);
  const bytes = Buffer.from(data, 'base64');
  verifyBytes(bytes, descriptor);
  return bytes;
}

interface FoundManifest {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly raw: Uint8Array;
}

async function imageOf(
  content: ReadableContent,
  { descriptor, manifest, raw }: FoundManifest,
  { name, signal }: { readonly name: string; readonly signal: AbortSignal | undefined },
): Promise<ImageSource> {
  const { config, rawConfig } = await readConfig(content, manifest, { name, signal });
  return {
    name,
    descriptor,
    manifest,
    rawManifest: raw,
    config,
    rawConfig,
    platform: platformOf(config),
    listings: content.listings,
    openBlob: (blob, options) => content.read(blob, options),
    blobFile(blob) {
      const file = content.file?.(blob.digest);
      return file !== undefined && existsSync(file) ? file : undefined;
    },
  };
}

/** The platform that a config names. */
export function platformOf(config: ImageConfig): Platform {
  const { os, architecture, variant } = config;
  const version = config['os.version'];
  const features = config['os.features'];
  return {
    os,
    architecture,
    ...(variant === undefined ? {} : { variant }),
    ...(version === undefined ? {} : { 'os.version': version }),
    ...(features === undefined ? {} : { 'os.features': features }),
  };
}

function assertPlatform({ name, platform }: ImageSource, wanted: Platform): void {
  if (matchesPlatform(platform, wanted)) return;
  const expected = formatPlatform(wanted);
  const actual = formatPlatform(platform);
  throw new ImageError('ERR_OCI_PLATFORM_NOT_FOUND', `${name} is for ${actual}, not for ${expected}`, {
    reference: name,
    expected,
    actual,
    hint: `leave out the platform to use the image for ${actual}`,
  });
}

function unexpectedIndex(descriptor: Descriptor): ImageError {
  return new ImageError('ERR_OCI_MANIFEST_INVALID', `${descriptor.digest} is an index, not a manifest`, {
    digest: descriptor.digest,
    expected: descriptor.mediaType,
  });
}

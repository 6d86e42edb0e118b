import { type Compression, ImageError, type Platform } from '@ocijs/image';
import type { RegistryOptions } from '../options.ts';
import type { CopyDestinationLocation, CopySourceLocation } from './location.ts';
import type { ManifestFormat } from './media-types.ts';
import type { Conversion } from './plan.ts';
import type { CopyReport } from './report.ts';
import { openSource } from './source.ts';
import { type CopyTarget, openTarget } from './target.ts';
import { transfer } from './transfer.ts';

/** Options of {@link copy}. */
export interface CopyOptions extends RegistryOptions {
  /** Which image of an index; default: the host's. It then stands alone at the destination. */
  readonly platform?: Platform | undefined;
  /**
   * Some images of an index, with an index that has only them; with `preserveDigests`, with the whole index, which then
   * names images that are not there.
   */
  readonly platforms?: readonly Platform[] | undefined;
  /** The whole index. Default false. */
  readonly allPlatforms?: boolean | undefined;
  /**
   * Everything that refers to the index, its images, and what refers to those: signatures, attestations, SBOMs; also by
   * cosign's tags. Default false.
   */
  readonly referrers?: boolean | undefined;
  /** Fail rather than change a digest. Default false. */
  readonly preserveDigests?: boolean | undefined;
  /** The family of manifests at the destination; default: as they are. */
  readonly format?: ManifestFormat | undefined;
  /** How layers are compressed at the destination; default: as they are. Their diffIDs stay. */
  readonly compression?: Compression | undefined;
  /** How to speak to the source, where that differs. */
  readonly sourceOptions?: RegistryOptions | undefined;
}

/**
 * Copies an image between any two places, byte for byte unless `format`, `compression` or the destination ask for a
 * change: an archive of Docker's has uncompressed layers. Everything is verified on the way; what the destination has
 * is not read; what is new becomes visible last. A layer that is compressed anew goes through a temporary file.
 *
 * Throws what reading the source and writing the destination throw; ERR_OCI_PLATFORM_NOT_FOUND;
 * ERR_OCI_DIGEST_MISMATCH when `preserveDigests` cannot be; ERR_OCI_MEDIA_TYPE_UNSUPPORTED for what the format cannot
 * express; `signal.reason`.
 */
export async function copy(
  source: CopySourceLocation,
  destination: CopyDestinationLocation,
  options: CopyOptions = {},
): Promise<CopyReport> {
  const { signal, sourceOptions, preserveDigests = false } = options;
  signal?.throwIfAborted();
  await using from = await openSource(source, { ...options, ...sourceOptions });
  const opened = await openTarget(destination, options);
  await using target = opened.target;
  const report = await transfer(from, target, {
    ...options,
    extent: extentOf(options),
    preserveDigests,
    conversion: conversionFor(target, options),
    name: opened.name,
  });
  signal?.throwIfAborted();
  await target.commit();
  return report;
}

function extentOf({ allPlatforms, platforms }: CopyOptions): 'one' | 'some' | 'all' {
  if (allPlatforms) return 'all';
  return platforms === undefined ? 'one' : 'some';
}

/** What is to change on the way to a target. Throws ERR_OCI_MEDIA_TYPE_UNSUPPORTED for zstd in Docker's format. */
export function conversionFor(
  { plainLayers, name }: CopyTarget,
  { format, compression }: Pick<CopyOptions, 'format' | 'compression'>,
): Conversion {
  if (plainLayers && compression !== undefined && compression !== 'none')
    throw unsupported(`${name} has uncompressed layers, not ${compression}`, 'leave out the compression');
  if (format === 'docker' && compression === 'zstd')
    throw unsupported("Docker's manifests have no type for zstd", 'use gzip, or the OCI format');
  return plainLayers ? { format, compression: 'none', plainFor: name } : { format, compression };
}

function unsupported(message: string, hint: string): ImageError {
  return new ImageError('ERR_OCI_MEDIA_TYPE_UNSUPPORTED', message, { hint });
}

import type { Descriptor } from '../descriptor.ts';
import { ImageError } from '../errors.ts';
import { isIndexType, isManifestType } from '../media-types.ts';
import type { Platform } from '../platform.ts';
import { comparePlatforms, matchesPlatform } from './match.ts';
import { formatPlatform } from './parse.ts';

/** Platforms named in a message, so that an index of thousands does not fill a screen. */
const namedAtMost = 20;

/** True for an attestation or other companion that build tools put into an index beside the images. */
function isCompanion({ platform, annotations }: Descriptor): boolean {
  return (
    (platform?.os === 'unknown' && platform.architecture === 'unknown') ||
    annotations?.['vnd.docker.reference.type'] !== undefined
  );
}

function isImage(descriptor: Descriptor): boolean {
  const { mediaType } = descriptor;
  return (isManifestType(mediaType) || isIndexType(mediaType)) && !isCompanion(descriptor);
}

function notFound(images: readonly Descriptor[], wanted: Platform): ImageError {
  const names = new Set(images.map(({ platform }) => (platform ? formatPlatform(platform) : 'unspecified')));
  const list = [...names].slice(0, namedAtMost).join(', ');
  const hint =
    names.size === 0
      ? 'the index has no image for any platform'
      : `available: ${list}${names.size > namedAtMost ? `, and ${names.size - namedAtMost} more` : ''}`;
  const expected = formatPlatform(wanted);
  return new ImageError('ERR_OCI_PLATFORM_NOT_FOUND', `no image for the platform ${expected}`, {
    expected,
    hint,
  });
}

/**
 * Picks from an index the image that runs best on the wanted platform: its very variant, else the next lower one; on
 * Windows the latest fitting `os.version`; of equals the first in the index. Attestations (`unknown/unknown`) are never
 * picked. An index with one image that names no platform means that image.
 *
 * Throws ERR_OCI_PLATFORM_NOT_FOUND with the available platforms in the hint.
 */
export function selectPlatform(descriptors: readonly Descriptor[], wanted: Platform): Descriptor {
  const images = descriptors.filter(isImage);
  const [only] = images;
  if (images.length === 1 && only !== undefined && only.platform === undefined) return only;
  let best: { readonly descriptor: Descriptor; readonly platform: Platform } | undefined;
  for (const descriptor of images) {
    const { platform } = descriptor;
    if (platform === undefined || !matchesPlatform(platform, wanted)) continue;
    if (best === undefined || comparePlatforms(platform, best.platform, { wanted }) < 0)
      best = { descriptor, platform };
  }
  if (best === undefined) throw notFound(images, wanted);
  return best.descriptor;
}

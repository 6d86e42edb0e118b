import { digestAlgorithm } from '../digest/digest.ts';
import { verifyBytes } from '../digest/verify.ts';
import { readConfigDocument } from '../manifest/config.ts';
import { readManifestDocument } from '../manifest/manifest.ts';
import { MediaType } from '../media-types.ts';
import { normalizePlatform } from '../platform/normalize.ts';
import { formatPlatform } from '../platform/parse.ts';
import type { Platform } from '../platform.ts';
import type { ImageSource } from '../source.ts';
import { type Violation, type ViolationPlace, violationOf } from './violation.ts';

/** What is wrong with manifest and config themselves, and between them; the layers are not read. */
export function checkDocuments(image: ImageSource): Violation[] {
  return [
    ...checkManifest(image),
    ...checkConfig(image),
    ...checkLayerCounts(image),
    ...checkPlatform(image),
  ];
}

/** All that is wrong with the text of a manifest or an index. */
export function checkManifestDocument(
  raw: Uint8Array,
  { mediaType, document }: { readonly mediaType: string; readonly document: 'manifest' | 'index' },
): Violation[] {
  const place = { document, jsonPath: '$' } as const;
  const faults: Violation[] = [];
  const whole = collect(place, () => {
    readManifestDocument(raw, { mediaType, onFault: (fault) => faults.push(violationOf(fault, place)) });
  });
  return [...faults, ...whole];
}

/** All that is wrong with the text of a config. */
export function checkConfigDocument(raw: Uint8Array): Violation[] {
  const place = { document: 'config', jsonPath: '$' } as const;
  const faults: Violation[] = [];
  const whole = collect(place, () => {
    const config = readConfigDocument(raw, (fault) => faults.push(violationOf(fault, place)));
    if (faults.length === 0) for (const diffId of config.rootfs.diff_ids) digestAlgorithm(diffId);
  });
  return [...faults, ...whole];
}

function checkManifest({ descriptor, rawManifest }: ImageSource): Violation[] {
  return [
    ...collect({ document: 'descriptor', jsonPath: '$.digest' }, () => verifyBytes(rawManifest, descriptor)),
    ...checkManifestDocument(rawManifest, { mediaType: descriptor.mediaType, document: 'manifest' }),
  ];
}

function checkConfig({ manifest, rawConfig }: ImageSource): Violation[] {
  const { mediaType } = manifest.config;
  const violations = [
    ...collect({ document: 'manifest', jsonPath: '$.config.digest' }, () =>
      verifyBytes(rawConfig, manifest.config),
    ),
    ...checkConfigDocument(rawConfig),
  ];
  if (mediaType !== MediaType.config && mediaType !== MediaType.dockerConfig)
    violations.push({
      document: 'manifest',
      jsonPath: '$.config.mediaType',
      code: 'ERR_OCI_MEDIA_TYPE_UNSUPPORTED',
      message: `${mediaType} is not the media type of an image config`,
    });
  return violations;
}

function checkLayerCounts({ manifest, config }: ImageSource): Violation[] {
  const layers = manifest.layers.length;
  const diffIds = config.rootfs.diff_ids.length;
  const violations: Violation[] = [];
  if (layers !== diffIds)
    violations.push(configFault('$.rootfs.diff_ids', `${diffIds} diffIDs for ${layers} layers`));
  const history = config.history ?? [];
  const filled = history.filter((entry) => entry.empty_layer !== true).length;
  if (history.length > 0 && filled !== layers)
    violations.push(
      configFault('$.history', `${filled} entries that are no empty layer, for ${layers} layers`),
    );
  return violations;
}

/** The descriptor of the manifest, where it has a platform, must have the one of the config. */
function checkPlatform({ descriptor, platform }: ImageSource): Violation[] {
  if (descriptor.platform === undefined) return [];
  const said = nameOf(descriptor.platform);
  const found = nameOf(platform);
  if (said === found) return [];
  return [
    {
      document: 'descriptor',
      jsonPath: '$.platform',
      code: 'ERR_OCI_PLATFORM_INVALID',
      message: `the platform is ${said} in the descriptor, and ${found} in the config`,
    },
  ];
}

function nameOf(platform: Platform): string {
  return formatPlatform(normalizePlatform(platform));
}

function configFault(jsonPath: string, message: string): Violation {
  return { document: 'config', jsonPath, code: 'ERR_OCI_CONFIG_INVALID', message };
}

function collect(place: ViolationPlace, check: () => void): Violation[] {
  try {
    check();
    return [];
  } catch (error) {
    return [violationOf(error, place)];
  }
}

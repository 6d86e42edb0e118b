import { platformText } from '../describe.ts';
import type { BuiltImage } from './build-image.ts';

/** What `--metadata-file` gets: the keys that BuildKit writes, of which scripts read the digest. */
export function buildMetadata({ top, names, platforms }: BuiltImage): Readonly<Record<string, unknown>> {
  const [only, ...others] = platforms;
  const provenances = platforms.flatMap(({ result, attestations }) =>
    attestations
      .filter(({ statement }) => statement.predicateType.startsWith('https://slsa.dev/provenance/'))
      .map(({ statement }) => {
        const suffix = others.length === 0 ? '' : `/${platformText(result.image.platform)}`;
        return [`buildx.build.provenance${suffix}`, statement.predicate] as const;
      }),
  );
  const { mediaType, digest, size } = top;
  return {
    ...Object.fromEntries(provenances),
    ...(only === undefined || others.length > 0
      ? {}
      : { 'containerimage.config.digest': only.result.image.manifest.config.digest }),
    'containerimage.descriptor': { mediaType, digest, size },
    'containerimage.digest': digest,
    ...(names.length === 0 ? {} : { 'image.name': names.join(',') }),
  };
}

/** What `--json` prints. */
export function buildDocument({ top, names, platforms }: BuiltImage): unknown {
  return {
    names,
    digest: top.digest,
    platforms: platforms.map(({ result, attestations }) => ({
      platform: platformText(result.image.platform),
      digest: result.descriptor.digest,
      steps: result.steps,
      ...(attestations.length === 0
        ? {}
        : {
            attestations: attestations.map(({ statement, descriptor }) => ({
              predicateType: statement.predicateType,
              digest: descriptor.digest,
            })),
          }),
    })),
  };
}

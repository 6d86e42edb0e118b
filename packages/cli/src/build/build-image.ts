import type { BuildNodeOptions, BuildOptions, BuildResult } from '@ocijs/build';
import type { Descriptor, Platform, Store } from '@ocijs/image';
import type { BuildAnnotations } from './annotations.ts';
import { type Attestations, type WrittenAttestation, writeAttestations } from './attest.ts';

/** What was built for one platform. */
export interface BuiltPlatform {
  readonly result: BuildResult;
  readonly attestations: readonly WrittenAttestation[];
}

/** What was built. */
export interface BuiltImage {
  readonly store: Store;
  /** Describes the manifest or, of several platforms, the index. */
  readonly top: Descriptor;
  readonly names: readonly string[];
  readonly platforms: readonly BuiltPlatform[];
}

export interface BuildImageOptions {
  readonly platforms: readonly Platform[];
  readonly names: readonly string[];
  readonly annotations: BuildAnnotations;
  readonly attestations: Attestations;
  /** Where the Dockerfile is, for statements. */
  readonly dockerfilePath?: string | undefined;
}

/** Builds an image for each platform, joins several in an index, names the result, and writes statements. */
export async function buildImage(
  options: BuildOptions | BuildNodeOptions,
  { platforms: wanted, names, annotations, attestations, dockerfilePath }: BuildImageOptions,
): Promise<BuiltImage> {
  const { build, buildNode } = await import('@ocijs/build');
  const platforms: BuiltPlatform[] = [];
  // One after the other: what does not depend on the platform is done once.
  for (const platform of wanted) {
    const one = {
      ...options,
      platform,
      annotations: annotations.manifest(platform),
      ...(wanted.length === 1 ? { names } : {}),
    };
    const result = await ('directory' in one ? buildNode(one) : build(one));
    const statements = { options: { ...one, names }, result, path: dockerfilePath };
    platforms.push({ result, attestations: await writeAttestations(attestations, statements) });
  }
  const { store } = options;
  const top = await topOf(options, { platforms, names, annotations });
  return { store, top, names, platforms };
}

async function topOf(
  { store, signal }: BuildOptions | BuildNodeOptions,
  {
    platforms,
    names,
    annotations,
  }: Pick<BuiltImage, 'platforms' | 'names'> & { readonly annotations: BuildAnnotations },
): Promise<Descriptor> {
  const [first, ...others] = platforms;
  if (first === undefined) throw new TypeError('a build is for a platform');
  if (others.length === 0) return first.result.descriptor;
  const { writeIndex } = await import('@ocijs/image');
  const manifests = platforms.map(({ result: { descriptor, image } }) => {
    const extra = annotations.descriptor(image.platform);
    return extra === undefined ? descriptor : { ...descriptor, annotations: extra };
  });
  const [name, ...more] = names;
  const top = await writeIndex(store, { manifests, annotations: annotations.index, name, signal });
  for (const other of more) await store.tag(other, top);
  return top;
}

import {
  baseAnnotations,
  formatReference,
  type ImageSource,
  type Platform,
  parseReference,
} from '@ocijs/image';
import { readTreeFile } from '../../context/read-tree-file.ts';
import { BuildError } from '../../errors.ts';
import type { ImageOptions } from '../../executor/types.ts';
import type { NodeProject } from '../project/node-project.ts';
import { join } from '../project/paths.ts';
import { nodeMajor } from './node-version.ts';

/**
 * The base of a project that nobody chose one for: the official image, in its small form.
 *
 * @throws BuildError `ERR_OCI_NODE_PROJECT_INVALID` for a version that is not understood.
 */
export function defaultBase({ tree, directory, manifest }: NodeProject): string {
  const read = (name: string): string | undefined => {
    for (const place of new Set([directory, '.'])) {
      const bytes = readTreeFile(tree, join(place, name), {
        limit: 1024,
        code: 'ERR_OCI_NODE_PROJECT_INVALID',
      });
      if (bytes !== undefined) return bytes.toString('utf8');
    }
    return undefined;
  };
  const versionFile = read('.nvmrc') ?? read('.node-version');
  const engine = manifest.engines.get('node');
  const major = nodeMajor({ versionFile, engine });
  if (major === undefined)
    throw new BuildError(
      'ERR_OCI_NODE_PROJECT_INVALID',
      `no version of Node is known for ${JSON.stringify(versionFile?.trim() ?? engine)}`,
      { hint: 'choose the base with --base' },
    );
  return `node:${major}-slim`;
}

/** The base; triggers that it keeps for Dockerfiles are not meant. */
export async function resolveBase(
  name: string,
  {
    store,
    resolveImage,
    platform,
    signal,
  }: Pick<ImageOptions, 'store' | 'resolveImage' | 'signal'> & {
    readonly platform: Platform;
  },
): Promise<ImageSource> {
  const image = await (resolveImage === undefined
    ? store.image(name, { platform, signal })
    : resolveImage(name, { platform, signal }));
  const { OnBuild: _triggers, ...config } = image.config.config ?? {};
  return { ...image, config: { ...image.config, config } };
}

/** What an image says of its base (image-spec `annotations.md`). */
export function baseFacts(name: string, base: ImageSource | undefined): Readonly<Record<string, string>> {
  if (base === undefined) return {};
  const digest = { [baseAnnotations.digest]: base.descriptor.digest };
  try {
    return { [baseAnnotations.name]: formatReference(parseReference(name)), ...digest };
  } catch {
    // A base of a layout or an archive has no name that others could use.
    return digest;
  }
}

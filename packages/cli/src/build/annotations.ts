import type { Platform } from '@ocijs/image';
import { usageError } from '../errors.ts';

const targets = ['manifest', 'index', 'manifest-descriptor'] as const;
type Target = (typeof targets)[number];

interface Annotation {
  readonly target: Target;
  /** Of the platform alone that is written like this. */
  readonly platform: string | undefined;
  readonly name: string;
  readonly value: string;
}

type Annotations = Readonly<Record<string, string>>;

/** The annotations of `--annotation`, by what they are for. */
export interface BuildAnnotations {
  readonly index: Annotations | undefined;
  manifest(platform: Platform): Annotations | undefined;
  /** Of the index's entry for the platform. */
  descriptor(platform: Platform): Annotations | undefined;
}

/**
 * Reads `[TARGET[,TARGET]:]NAME=VALUE`, where a target is `manifest` (by itself), `index` or `manifest-descriptor`, each but the
 * index also for one platform: `manifest[linux/amd64]`. Throws ERR_OCI_USAGE.
 */
export async function parseAnnotations(
  texts: readonly string[] = [],
  { platforms }: { readonly platforms: number },
): Promise<BuildAnnotations> {
  const { formatPlatform, parsePlatform } = await import('@ocijs/image');
  const all = texts.flatMap(parseAnnotation).map((annotation) => ({
    ...annotation,
    platform:
      annotation.platform === undefined ? undefined : formatPlatform(parsePlatform(annotation.platform)),
  }));
  if (platforms === 1 && all.some(({ target }) => target !== 'manifest'))
    throw usageError(
      '--annotation for an index, but there is none',
      'images of several platforms have an index',
    );
  const select = (wanted: Target, platform?: Platform): Annotations | undefined => {
    const name = platform === undefined ? undefined : formatPlatform(platform);
    const found = all.filter(
      (one) => one.target === wanted && (one.platform === undefined || one.platform === name),
    );
    return found.length === 0
      ? undefined
      : Object.fromEntries(found.map((one) => [one.name, one.value] as const));
  };
  return {
    index: select('index'),
    manifest: (platform) => select('manifest', platform),
    descriptor: (platform) => select('manifest-descriptor', platform),
  };
}

function parseAnnotation(text: string): readonly Annotation[] {
  const [, prefix = 'manifest', name = '', value = ''] =
    /^(?:([a-z-]+(?:\[[^\]]*\])?(?:,[a-z-]+(?:\[[^\]]*\])?)*):)?([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === '') throw usageError(`--annotation ${JSON.stringify(text)} is not [TARGET:]NAME=VALUE`);
  return prefix.split(',').map((part) => {
    const [, word, platform] = /^([a-z-]+)(?:\[([^\]]*)\])?$/.exec(part) ?? [];
    const target = targets.find((known) => known === word);
    if (target === undefined)
      throw usageError(
        `--annotation ${text} is for ${part}, which is unknown`,
        `one of ${targets.join(', ')}`,
      );
    if (target === 'index' && platform !== undefined)
      throw usageError(`--annotation ${text}: the index is of all platforms`);
    return { target, platform, name, value };
  });
}

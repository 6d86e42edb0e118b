import { formatPlatform, hostPlatform } from '@ocijs/image';
import type { BuildOptions, BuildResult } from '../executor/types.ts';
import type { BuildNodeOptions } from '../node/build-node.ts';
import type { BuildSource } from '../sources/source-record.ts';
import { createStatement, digestSet, type Statement } from './statement.ts';

export interface ProvenanceOptions {
  /** `min` leaves out what the caller gave and the text of the Dockerfile; values of secrets are in neither. */
  readonly mode: 'min' | 'max';
  /** Who built it, as an address: of a CI job, for example. */
  readonly builderId?: string | undefined;
  /** Where the Dockerfile is in its context. */
  readonly dockerfilePath?: string | undefined;
}

/** What the parameters mean, and how what was resolved is written. */
const buildType = 'https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md';

/**
 * How an image was made: SLSA provenance, version 1. There are no times in it, so that the same build gives the same
 * document.
 *
 * @see https://slsa.dev/spec/v1.0/provenance
 */
export function provenanceStatement(
  options: BuildOptions | BuildNodeOptions,
  result: BuildResult,
  provenance: ProvenanceOptions,
): Statement {
  const { mode, builderId = '' } = provenance;
  const isNode = 'directory' in options;
  const path = isNode ? 'package.json' : (provenance.dockerfilePath ?? 'Dockerfile');
  const source = isNode ? undefined : options.context?.source;
  return createStatement({
    subject: result.descriptor,
    names: options.names?.map((name) => packageUrl(name, result.image.platform)),
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType,
        externalParameters: {
          configSource: {
            ...(source === undefined ? {} : { uri: source.name, digest: digestSet(source.digest) }),
            path,
          },
          request: isNode ? nodeRequestOf(options) : requestOf(options, mode),
        },
        internalParameters: { builderPlatform: formatPlatform(hostPlatform()) },
        resolvedDependencies: result.sources.map(dependency),
      },
      runDetails: {
        builder: { id: builderId },
        metadata: {
          buildkit_completeness: { request: mode === 'max', resolvedDependencies: false },
          buildkit_reproducible: false,
          ...(mode === 'max' && !isNode ? { buildkit_metadata: { source: sourceOf(options, path) } } : {}),
        },
      },
    },
  });
}

function requestOf(options: BuildOptions, mode: 'min' | 'max'): object {
  const { arguments: given = new Map<string, string>(), labels = {}, contexts, target } = options;
  const prefixed = (prefix: string, entries: Iterable<readonly [string, string]>) =>
    [...entries].map(([name, value]) => [`${prefix}:${name}`, value] as const).sort();
  const args = Object.fromEntries([
    ...(target === undefined ? [] : [['target', target] as const]),
    ...(mode === 'max' ? prefixed('build-arg', given) : []),
    ...(mode === 'max' ? prefixed('label', Object.entries(labels)) : []),
  ]);
  const ids = (entries: ReadonlyMap<string, unknown> | undefined): readonly { readonly id: string }[] =>
    [...(entries?.keys() ?? [])].sort().map((id) => ({ id }));
  const locals = [
    ...(options.context === undefined || options.context.source !== undefined ? [] : ['context']),
    ...[...(contexts ?? [])].flatMap(([name, context]) =>
      'image' in context || context.source !== undefined ? [] : [name],
    ),
  ];
  return {
    frontend: 'dockerfile.v0',
    ...(Object.keys(args).length === 0 ? {} : { args }),
    ...(mode === 'min' || !options.secrets?.size ? {} : { secrets: ids(options.secrets) }),
    ...(mode === 'min' || !options.agents?.size ? {} : { ssh: ids(options.agents) }),
    ...(locals.length === 0 ? {} : { locals: locals.sort().map((name) => ({ name })) }),
  };
}

/** Of a build without a Dockerfile: BuildKit has no word for it. */
function nodeRequestOf({ base, entrypoint, command }: BuildNodeOptions): object {
  const words = { base, entrypoint: entrypoint?.join(' '), cmd: command?.join(' ') };
  const args = Object.entries(words).filter(([, value]) => value !== undefined);
  return {
    frontend: 'node.v0',
    ...(args.length === 0 ? {} : { args: Object.fromEntries(args) }),
    locals: [{ name: 'context' }],
  };
}

/** The Dockerfile, if there is one: a program may have put the build together. */
function sourceOf({ dockerfile }: BuildOptions, filename: string): object {
  if (typeof dockerfile !== 'string') return { infos: [] };
  return {
    infos: [{ filename, language: 'Dockerfile', data: Buffer.from(dockerfile).toString('base64') }],
  };
}

function dependency({ type, name, platform, digest }: BuildSource): object {
  return { uri: type === 'image' ? packageUrl(name, platform) : name, digest: digestSet(digest) };
}

/** `pkg:docker/debian@bookworm?platform=linux%2Famd64`. */
function packageUrl(name: string, platform: Parameters<typeof formatPlatform>[0] | string = ''): string {
  const [, repository = name, tag = ''] = /^(.+?)(?::([^:/@]+))?(?:@.*)?$/.exec(name) ?? [];
  const where = typeof platform === 'string' ? platform : formatPlatform(platform);
  const shown = repository.replace(/^docker\.io\/(?:library\/)?/, '');
  const query = where === '' ? '' : `?platform=${encodeURIComponent(where)}`;
  return `pkg:docker/${shown}${tag === '' ? '' : `@${encodeURIComponent(tag)}`}${query}`;
}

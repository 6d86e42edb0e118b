import {
  baseAnnotations,
  type ExecutionConfig,
  formatPlatform,
  formatReference,
  hostPlatform,
  type ImageSource,
  type Platform,
  parseReference,
} from '@ocijs/image';
import { nodeOf, quote } from '../builder/instructions.ts';
import { environmentOf } from '../config/apply-instruction.ts';
import { readTreeFile } from '../context/read-tree-file.ts';
import type { Dockerfile } from '../dockerfile/dockerfile.ts';
import type { StageInstruction } from '../dockerfile/instructions/types.ts';
import { BuildError } from '../errors.ts';
import { build } from '../executor/build.ts';
import type { BuildResult, ImageOptions } from '../executor/types.ts';
import { libcOf } from './image/base-libc.ts';
import { describeProject } from './image/describe-project.ts';
import { nodeMajor } from './image/node-version.ts';
import { findStartCommand, type StartCommand } from './image/start-command.ts';
import { findInstallation } from './installed/installation.ts';
import { nodePlatform } from './installed/target.ts';
import { nodeLayer } from './layers/layer-files.ts';
import { type PlannedLayer, planLayers } from './layers/plan-layers.ts';
import { type NodeProject, openNodeProject } from './project/node-project.ts';
import { join } from './project/paths.ts';

/** Options of {@link buildNode}. */
export interface BuildNodeOptions extends ImageOptions {
  /** The project: where its `package.json` is. The lock file is there or, of a workspace, in a directory above. */
  readonly directory: string;
  /** The image below: by itself `node:MAJOR-slim`, of the version that the project asks for. */
  readonly base?: string | undefined;
  /** What containers start, instead of what `package.json` says. */
  readonly entrypoint?: readonly string[] | undefined;
  /** Arguments for it that a container may be given instead. */
  readonly command?: readonly string[] | undefined;
}

/** Where the root of the repository is in the image. */
const prefix = 'app';
/** The time that npm gives to the files of what it publishes: 1985-10-26T08:15:00Z. */
const npmTime = 499_162_500;
/** Who runs the project when the base would have root do it: the user `node` of the official images. */
const ordinaryUser = '1000:1000';

/**
 * Builds an image of a Node project without a Dockerfile: production dependencies as the lock file names them and as they are
 * installed in `node_modules`, in layers that change as seldom as they can, and the project's files on top. Nothing is run and
 * nothing is unpacked. The same files give the same digest, whoever builds them, where and when.
 *
 * @throws BuildError `ERR_OCI_NODE_…`; what {@link build} throws.
 */
export async function buildNode(options: BuildNodeOptions): Promise<BuildResult> {
  const { directory, base: chosenBase, entrypoint, command, ...shared } = options;
  const { signal, onEvent } = options;
  signal?.throwIfAborted();
  using project = await openNodeProject(directory);
  const platform = options.platform ?? hostPlatform();
  const platformName = formatPlatform(platform);
  const name = chosenBase ?? defaultBase(project);
  const base = name === 'scratch' ? undefined : await resolveBase(name, { ...options, platform });
  let libc: ReturnType<typeof libcOf> | undefined;
  const target = {
    ...nodePlatform(platform),
    libc: () => {
      libc ??= base === undefined ? Promise.resolve('glibc') : libcOf(base, { signal });
      return libc;
    },
  };
  const installation = await findInstallation(project, { target, platform: platformName, signal });
  const { layers, warnings } = planLayers(project, { installation, target, platform: platformName, signal });
  for (const message of [...installation.warnings, ...warnings])
    onEvent?.({ type: 'warning', code: 'ERR_OCI_NODE_PLATFORM_MISMATCH', message });
  const included = new Set(layers.flatMap(({ files }) => files.map(({ path }) => path)));
  const start =
    entrypoint === undefined
      ? findStartCommand({ ...project, installation, isIncluded: (path) => included.has(path) })
      : undefined;
  const facts = describeProject(project.manifest);
  // The project stays open until its files are read.
  return await build({
    ...shared,
    platform,
    dockerfile: stageOf(name, [
      ...layers.map((layer) => filesInstruction(project, layer, options.created ?? npmTime)),
      settingsInstruction((config) =>
        settings(config, { directory: project.directory, start, entrypoint, command }),
      ),
    ]),
    labels: { ...facts, ...options.labels },
    annotations: { ...facts, ...baseFacts(name, base), ...options.annotations },
    ...(base === undefined ? {} : { resolveImage: async () => base }),
  });
}

function defaultBase({ tree, directory, manifest }: NodeProject): string {
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
async function resolveBase(
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

function baseFacts(name: string, base: ImageSource | undefined): Readonly<Record<string, string>> {
  if (base === undefined) return {};
  const digest = { [baseAnnotations.digest]: base.descriptor.digest };
  try {
    return { [baseAnnotations.name]: formatReference(parseReference(name)), ...digest };
  } catch {
    // A base of a layout or an archive has no name that others could use.
    return digest;
  }
}

function stageOf(base: string, instructions: readonly StageInstruction[]): Dockerfile {
  const from = { kind: 'from', node: nodeOf('FROM'), base: quote(base), stageName: 'node' } as const;
  return {
    syntax: { directives: { escape: '\\', lines: new Map() }, instructions: [], line: () => undefined },
    globalArguments: [],
    stages: [{ index: 0, from, instructions }],
  };
}

function filesInstruction({ tree }: NodeProject, layer: PlannedLayer, time: number): StageInstruction {
  const root = { tree, label: 'the project' };
  const files = nodeLayer(layer.files, { root, prefix, time: layer.isPublished ? npmTime : time });
  return { kind: 'files', node: nodeOf('FILES', layer.text), files };
}

function settingsInstruction(change: (config: ExecutionConfig) => ExecutionConfig): StageInstruction {
  return { kind: 'settings', node: nodeOf('SETTINGS', 'what containers start with'), change };
}

interface Settings {
  readonly directory: string;
  readonly start: StartCommand | undefined;
  readonly entrypoint: readonly string[] | undefined;
  readonly command: readonly string[] | undefined;
}

function settings(
  config: ExecutionConfig,
  { directory, start, entrypoint, command }: Settings,
): ExecutionConfig {
  const { Cmd: _ofTheBase, ...rest } = config;
  const [program = ''] = config.Entrypoint ?? [];
  // Images without a shell have Node elsewhere, and say where.
  const node = /^(?:.*\/)?node$/.test(program) ? program : 'node';
  const isRoot = /^(?:root|0+)?(?::.*)?$/.test(config.User ?? '');
  const environment = new Map([
    ...environmentOf(config),
    ['NODE_ENV', 'production'],
    ...Object.entries(start?.environment ?? {}),
  ]);
  return {
    ...rest,
    Env: [...environment].map(([name, value]) => `${name}=${value}`),
    WorkingDir: `/${join(prefix, directory).replace(/\/\.$/, '')}`,
    User: isRoot ? ordinaryUser : (config.User ?? ordinaryUser),
    Entrypoint: entrypoint ?? [node, ...(start?.words ?? [])],
    ...(command === undefined ? {} : { Cmd: command }),
    StopSignal: 'SIGTERM',
  };
}

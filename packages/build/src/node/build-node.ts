import { type ExecutionConfig, formatPlatform, hostPlatform } from '@ocijs/image';
import { nodeOf, quote } from '../builder/instructions.ts';
import type { Dockerfile } from '../dockerfile/dockerfile.ts';
import type { StageInstruction } from '../dockerfile/instructions/types.ts';
import { build } from '../executor/build.ts';
import type { BuildResult, ImageOptions } from '../executor/types.ts';
import { baseFacts, defaultBase, resolveBase } from './image/base-image.ts';
import { libcOf } from './image/base-libc.ts';
import { describeProject } from './image/describe-project.ts';
import { nodeSettings, prefix } from './image/node-settings.ts';
import { findStartCommand } from './image/start-command.ts';
import { findInstallation } from './installed/installation.ts';
import { nodePlatform } from './installed/target.ts';
import { nodeLayer } from './layers/layer-files.ts';
import { type PlannedLayer, planLayers } from './layers/plan-layers.ts';
import { type NodeProject, openNodeProject } from './project/node-project.ts';

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

/** The time that npm gives to the files of what it publishes: 1985-10-26T08:15:00Z. */
const npmTime = 499_162_500;

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
        nodeSettings(config, { directory: project.directory, start, entrypoint, command }),
      ),
    ]),
    labels: { ...facts, ...options.labels },
    annotations: { ...facts, ...baseFacts(name, base), ...options.annotations },
    ...(base === undefined ? {} : { resolveImage: async () => base }),
  });
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

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openLayeredTree, openSnapshots } from '@ocijs/bundle';
import { formatPlatform, hostPlatform, type ImageDraft, type ImageSource, writeDraft } from '@ocijs/image';
import type { CacheConfig } from '../cache/cache-config.ts';
import { collectCache, type NotedMount } from '../cache/export-cache.ts';
import { openImportedCaches } from '../cache/imported-caches.ts';
import { openStepCache } from '../cache/step-cache.ts';
import { openStepLayers } from '../cache/step-layers.ts';
import type { CopyRoot } from '../copy/select-files.ts';
import { parseDockerfile } from '../dockerfile/dockerfile.ts';
import { type PlannedStage, planBuild, type StageSource } from '../dockerfile/graph/plan.ts';
import { BuildError } from '../errors.ts';
import { createSourceRecord } from '../sources/source-record.ts';
import type { BuildEnvironment } from './environment.ts';
import { executeStage } from './execute-stage.ts';
import { finishImage } from './finish-image.ts';
import { openDraft } from './open-draft.ts';
import { openScratch } from './scratch.ts';
import {
  completeDraft,
  emptyState,
  lowerLayers,
  type StageState,
  stateFromImage,
  stateFromStage,
} from './stage-state.ts';
import { stateFromContext } from './state-from-context.ts';
import type { BuildEvent, BuildOptions, BuildResult } from './types.ts';

/**
 * Builds an image from a Dockerfile, without a daemon. Stages run at the same time where they can; steps that an earlier
 * build has done with the same input are taken from there. The same input gives the same digest, on any day.
 *
 * @throws BuildError for mistakes in the Dockerfile, files that are missing and steps that fail; what the store, `resolveImage`
 * and the runtime throw; the reason of `signal`.
 */
export async function build(options: BuildOptions): Promise<BuildResult> {
  const { store, signal } = options;
  signal?.throwIfAborted();
  const dockerfile =
    typeof options.dockerfile === 'string' ? parseDockerfile(options.dockerfile) : options.dockerfile;
  const platform = options.platform ?? hostPlatform();
  const plan = planBuild(dockerfile, {
    target: options.target,
    given: options.arguments ?? new Map(),
    targetPlatform: platform,
    buildPlatform: hostPlatform(),
    contexts: imagesAmong(options.contexts),
  });
  const sources = createSourceRecord(options.locked);
  if (options.context?.source !== undefined) sources.note(options.context.source);
  const snapshots = await openSnapshots(join(store.directory, 'snapshots'), { signal });
  using _inUse = await snapshots.use({ signal });
  await using opened = await openScratch(store);
  const scratch = opened.directory;
  const imported = openImportedCaches(store, options.cacheFrom ?? [], { signal });
  const layers = openStepLayers(store, snapshots, { imported, signal });
  const cache = openStepCache(store, { layers, imported });
  const usedMounts = new Map<string, NotedMount>();
  const counter = countSteps(options.onEvent);
  const stages = new Map<number, Promise<StageState>>();
  const images = new Map<string, Promise<ImageSource>>();
  const environment: BuildEnvironment = {
    options: { ...options, onEvent: counter.onEvent },
    plan,
    syntax: dockerfile.syntax,
    store,
    snapshots,
    layers,
    cache,
    imported,
    noteMount: (mount) => void usedMounts.set(mount.directory, mount),
    sources,
    scratch,
    openSource: (source, { stage }) => openSource(source, platformOf(stage)),
    layersOf: (source, { stage }) => layersOf(source, platformOf(stage)),
    openState: (state) => openTree(completeDraft(state), 'the image'),
  };

  function platformOf(index: number) {
    return plan.stages.find(({ stage }) => stage.index === index)?.platform ?? platform;
  }

  async function openTree(draft: ImageDraft, label: string): Promise<CopyRoot & Disposable> {
    const found =
      draft.layers.length === 0
        ? []
        : await snapshots.ensure(await openDraft(draft, { store, layers }), { signal });
    const empty = join(scratch, 'empty');
    await mkdir(empty, { recursive: true });
    const tree = openLayeredTree(
      [...found.map(({ rootfs }) => rootfs).reverse(), ...(found.length === 0 ? [empty] : [])],
      snapshots.form,
      { notedOwners: snapshots.notesOwners },
    );
    return { tree, label, [Symbol.dispose]: () => tree[Symbol.dispose]() };
  }

  function resolveImage(name: string, wanted: typeof platform): Promise<ImageSource> {
    const key = JSON.stringify([name, wanted]);
    const known = images.get(key) ?? findImage(name, wanted);
    images.set(key, known);
    return known;
  }

  async function findImage(name: string, wanted: typeof platform): Promise<ImageSource> {
    const image = await (options.resolveImage === undefined
      ? store.image(name, { platform: wanted, signal })
      : options.resolveImage(name, { platform: wanted, signal }));
    sources.note({ type: 'image', name, platform: formatPlatform(wanted), digest: image.descriptor.digest });
    return image;
  }

  async function openSource(source: StageSource, wanted: typeof platform): Promise<CopyRoot & Disposable> {
    if (source.kind === 'scratch') return openTree(emptyState(wanted).draft, 'an empty image');
    if (source.kind === 'stage')
      return openTree(completeDraft(await stageOf(source.index)), `stage ${source.index}`);
    if (source.kind === 'image')
      return openTree(stateFromImage(await resolveImage(source.name, wanted)).draft, source.name);
    const context = source.name === '' ? options.context : options.contexts?.get(source.name);
    if (context === undefined || 'image' in context)
      throw new BuildError('ERR_OCI_BUILD_CONTEXT_INVALID', 'there is no build context to copy from', {
        hint: 'give the directory that has the files',
      });
    if (context.source !== undefined) sources.note(context.source);
    // The context stays open for other steps.
    return { ...context, [Symbol.dispose]: () => undefined };
  }

  async function layersOf(source: StageSource, wanted: typeof platform) {
    if (source.kind === 'stage') return lowerLayers(await stageOf(source.index));
    if (source.kind === 'image') return lowerLayers(stateFromImage(await resolveImage(source.name, wanted)));
    return source.kind === 'scratch' ? [] : undefined;
  }

  function stageOf(index: number): Promise<StageState> {
    const known = stages.get(index);
    if (known !== undefined) return known;
    const planned = plan.stages.find(({ stage }) => stage.index === index);
    if (planned === undefined) throw new TypeError(`stage ${index} is not planned`);
    const started = startStage(planned);
    // Whoever needs the stage sees its failure; nobody else has to.
    started.catch(() => undefined);
    stages.set(index, started);
    return started;
  }

  async function startStage(planned: PlannedStage): Promise<StageState> {
    const { base } = planned;
    if (base.kind === 'scratch')
      return executeStage(environment, planned, { state: emptyState(planned.platform), triggers: [] });
    if (base.kind === 'stage') {
      const lower = await stageOf(base.index);
      const triggers = lower.config.config.OnBuild ?? [];
      return executeStage(environment, planned, { state: stateFromStage(lower), triggers });
    }
    if (base.kind === 'context') {
      using root = await openSource(base, planned.platform);
      const state = await stateFromContext(root, { layers, platform: planned.platform, options });
      return executeStage(environment, planned, { state, triggers: [] });
    }
    const image = await resolveImage(base.name, planned.platform);
    await writeDraft(store, stateFromImage(image).draft, { sources: [image], signal });
    return executeStage(environment, planned, {
      state: stateFromImage(image),
      triggers: image.config.config?.OnBuild ?? [],
    });
  }

  /** How many layers of a stage are those of the image that it starts from, itself or by way of other stages. */
  async function inheritedLayers({ base, platform: wanted }: PlannedStage): Promise<number> {
    if (base.kind === 'image') return (await resolveImage(base.name, wanted)).manifest.layers.length;
    const lower = plan.stages.find(({ stage }) => base.kind === 'stage' && stage.index === base.index);
    return lower === undefined ? 0 : inheritedLayers(lower);
  }

  for (const { stage } of plan.stages) void stageOf(stage.index);
  const state = await stageOf(plan.target.stage.index);
  const inherited = await inheritedLayers(plan.target);
  const image = lowerLayers(state);
  const collecting = { store, layers, image, steps: cache.noted, usedMounts: usedMounts.values(), signal };
  const caches: CacheConfig[] = [];
  for (const wanted of options.cacheTo ?? []) caches.push(await collectCache({ ...wanted, ...collecting }));
  const inline =
    options.inlineCache === true && options.squash !== true
      ? await collectCache({ ...collecting, reproducible: true })
      : undefined;
  const draft = await finishImage(state, { ...options, layers, inherited, inline });
  const [first, ...more] = options.names ?? [];
  const descriptor = await writeDraft(store, draft, { name: first, signal });
  for (const name of more) await store.tag(name, descriptor);
  const result = await store.image(descriptor, { platform: plan.target.platform, signal });
  return { descriptor, image: result, caches, sources: sources.list(), steps: counter.steps };
}

/** Which of the contexts stand for images. */
function imagesAmong(
  contexts: BuildOptions['contexts'] = new Map(),
): ReadonlyMap<string, { readonly image?: string }> {
  return new Map([...contexts].map(([name, context]) => [name, 'image' in context ? context : {}]));
}

function countSteps(onEvent: ((event: BuildEvent) => void) | undefined) {
  const steps = { done: 0, cached: 0 };
  return {
    steps,
    onEvent: (event: BuildEvent): void => {
      if (event.type === 'step-done') steps[event.status] += 1;
      onEvent?.(event);
    },
  };
}

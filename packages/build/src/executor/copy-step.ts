import { posix } from 'node:path';
import type { TarWriteEntry } from '@ocijs/image';
import { archiveEntries } from '../add/archive.ts';
import { gatherSources } from '../add/gather-sources.ts';
import { type StepResult, stepKey } from '../cache/step-cache.ts';
import { filesDigest } from '../copy/files-digest.ts';
import { layerEntries } from '../copy/layer-entries.ts';
import { parseModeChange } from '../copy/permissions.ts';
import { type ContentFile, planCopy, planDirectory, realPath } from '../copy/plan-copy.ts';
import type { CopyRoot } from '../copy/select-files.ts';
import type { StageSource } from '../dockerfile/graph/plan.ts';
import type { CopyInstruction } from '../dockerfile/instructions/types.ts';
import { BuildError } from '../errors.ts';
import type { BuildEnvironment, StepOutcome } from './environment.ts';
import { findOwner, type Owner } from './find-owner.ts';
import { fileTime, lowerLayers, type StageState, withStep } from './stage-state.ts';

/** Executes `COPY` and `ADD`. The layer is written without any file system being mounted. */
export async function copyStep(
  environment: BuildEnvironment,
  state: StageState,
  {
    instruction,
    stage,
    createdBy,
  }: { readonly instruction: CopyInstruction; readonly stage: number; readonly createdBy: string },
): Promise<StepOutcome> {
  const { options, layers, cache } = environment;
  const { signal, created, noCache = false } = options;
  const named = instruction.from;
  const source = sourceOf(environment, { instruction, stage });
  const below = lowerLayers(state);
  const destination = absolute(state, instruction.destination);
  const timeNs = fileTime(state, created);
  const inline = instruction.files.map(
    ({ name, content }): ContentFile => ({ name: posix.basename(name), content: Buffer.from(content) }),
  );
  const inputs = {
    inline: inline.map(({ name, content }) => [name, Buffer.from(content).toString('base64')]),
    destination,
    mode: instruction.mode ?? null,
    link: instruction.link,
    time: String(timeNs),
  };
  const sourceKey = await keyOfSource(environment, state, { instruction, source, stage, inputs });
  const cached = (layer: StepResult['layer']): StepOutcome => ({
    state: withStep(state, { layer, createdBy, created }),
    status: 'cached',
  });
  if (sourceKey !== undefined && !noCache) {
    const same = await cache.find(sourceKey, below);
    if (same !== undefined) return cached(same.layer);
  }
  using resources = new DisposableStack();
  const root = resources.use(await environment.openSource(source, { stage }));
  const { files, archives } = await gatherSources(instruction, {
    root,
    scratch: environment.scratch,
    sources: environment.sources,
    secrets: options.secrets,
    resources,
    signal,
  });
  const lower = resources.use(await environment.openState(state));
  const owner = ownerOf(lower, instruction, { keeps: named !== undefined });
  const key = stepKey(below, {
    kind: 'copy',
    files: await filesDigest(files, { withOwners: owner === undefined, signal }),
    archives: await filesDigest(archives, { withOwners: false, signal }),
    owner: owner ?? null,
    ...inputs,
  });
  const isSecond = sourceKey !== undefined;
  const earlier = noCache ? undefined : await cache.find(key, below, { isSecond });
  if (earlier !== undefined) {
    if (sourceKey !== undefined) await cache.keep(sourceKey, { ...earlier, lower: below });
    return cached(earlier.layer);
  }
  const tree = instruction.link ? undefined : lower.tree;
  const mode = instruction.mode === undefined ? undefined : parseModeChange(instruction.mode);
  const hasFiles = files.length + inline.length > 0;
  const planned = [
    ...(archives.length > 0 ? planDirectory(destination, tree) : []),
    ...(hasFiles ? planCopy(files, inline, { path: destination, tree }) : []),
  ];
  async function* entries(): AsyncGenerator<TarWriteEntry> {
    yield* layerEntries(planned, { owner, mode, timeNs, signal });
    const directory = realPath(destination, tree);
    for (const archive of archives)
      yield* archiveEntries(archive, {
        directory,
        tree,
        owner: instruction.owner === undefined ? undefined : owner,
        signal,
      });
  }
  const layer = await layers.write(entries());
  await cache.keep(key, { layer, lower: below, isSecond });
  if (sourceKey !== undefined) await cache.keep(sourceKey, { layer, lower: below });
  return { state: withStep(state, { layer, createdBy, created }), status: 'done' };
}

/** The context, unless the instruction says otherwise. */
function sourceOf(
  { plan }: BuildEnvironment,
  { instruction: { from }, stage }: { readonly instruction: CopyInstruction; readonly stage: number },
): StageSource {
  const named =
    from === undefined
      ? undefined
      : plan.stages.find((planned) => planned.stage.index === stage)?.sources.get(from);
  return named ?? { kind: 'context', name: '' };
}

/**
 * A key that says which layers the files come from instead of what they are: nothing has to be read for it. Undefined
 * for contexts, which change.
 */
async function keyOfSource(
  environment: BuildEnvironment,
  state: StageState,
  {
    instruction,
    source,
    stage,
    inputs,
  }: {
    readonly instruction: CopyInstruction;
    readonly source: StageSource;
    readonly stage: number;
    readonly inputs: object;
  },
): Promise<string | undefined> {
  const layers = await environment.layersOf(source, { stage });
  if (layers === undefined) return undefined;
  const { kind, sources, exclude, parents, owner, unpack } = instruction;
  const chosen = { sources, exclude, parents, owner: owner ?? null, unpack: unpack ?? null };
  return stepKey(lowerLayers(state), { kind: `${kind} from layers`, layers, ...chosen, ...inputs });
}

/** What is copied from a context belongs to root; what is copied from elsewhere keeps its owner. `--chown` decides otherwise. */
function ownerOf(
  { tree }: CopyRoot,
  { owner }: CopyInstruction,
  { keeps }: { readonly keeps: boolean },
): Owner | undefined {
  if (owner !== undefined) return findOwner(tree, owner);
  return keeps ? undefined : { uid: 0, gid: 0 };
}

/** Relative destinations start at the working directory; a slash at the end is kept, since it says directory. */
function absolute({ config }: StageState, destination: string): string {
  if (destination === '') throw new BuildError('ERR_OCI_DOCKERFILE_INVALID', 'the destination is empty');
  const path = posix.resolve('/', config.config.WorkingDir ?? '/', destination);
  return /\/\.?$|^\.$/.test(destination) && path !== '/' ? `${path}/` : path;
}

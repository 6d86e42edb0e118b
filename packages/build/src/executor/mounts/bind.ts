import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { mountOverlay, unmountAll } from '@ocijs/bundle';
import { constants, mknodat } from '@ocijs/linux';
import { filesDigest } from '../../copy/files-digest.ts';
import { type CopyRoot, isDirectoryFile, type SelectedFile, selectFiles } from '../../copy/select-files.ts';
import type { StageSource } from '../../dockerfile/graph/plan.ts';
import { BuildError } from '../../errors.ts';
import type { IgnoreRules } from '../../ignore/ignore.ts';
import { bindOptions, type MountContext, type PrepareMount } from './mount-context.ts';

const context: StageSource = { kind: 'context', name: '' };

/**
 * `type=bind`: files of the context, a stage or an image, without copying them. Writes, where they are allowed, go
 * nowhere; what the context ignores is not seen.
 */
export const bindMount: PrepareMount = async (flag, at) => {
  const { environment, planned, target, resources } = at;
  const { signal } = environment.options;
  const source = flag.from === undefined ? context : (planned.sources.get(flag.from) ?? context);
  const root = resources.use(await environment.openSource(source, { stage: planned.stage.index }));
  const path = flag.source ?? '/';
  const selected = selectFiles(root, path, { exclude: [], parents: false });
  const [top] = selected.flatMap(({ files }) => files.slice(0, 1));
  if (top === undefined)
    throw new BuildError('ERR_OCI_BUILD_SOURCE_NOT_FOUND', `${path} is not in ${root.label}`, { path });
  const key = await filesDigest(selected, { withOwners: source.kind !== 'context', signal });
  const place = isDirectoryFile(top.file) ? await overlay(root, top, at) : root.tree.places(top.file)[0];
  const options = [...bindOptions, flag.readonly === false ? 'rw' : 'ro'];
  return {
    mounts: [{ destination: target, type: 'bind', source: place ?? '', options }],
    environment: [],
    key,
  };
};

/** Shows a directory through an overlay of its own, so that neither the files nor the layers they are in can change. */
export async function overlay(
  root: CopyRoot,
  { file }: SelectedFile,
  { environment, place, resources }: Pick<MountContext, 'environment' | 'place' | 'resources'>,
): Promise<string> {
  const [view, upper, work] = ['view', 'upper', 'work'].map((name) => join(place, name));
  if (view === undefined || upper === undefined || work === undefined) throw new TypeError('three names');
  for (const path of [view, upper, work]) await mkdir(path, { recursive: true, mode: 0o755 });
  if (root.ignore !== undefined) await hideIgnored(root, file.path, { upper, ignore: root.ignore });
  const { form } = environment.snapshots;
  mountOverlay(view, { lower: root.tree.places(file), upper, work, form, temporary: true });
  resources.defer(() => unmountAll(view));
  return view;
}

/** Puts whiteouts where the context has what it ignores. */
async function hideIgnored(
  root: CopyRoot,
  path: string,
  { upper, ignore }: { readonly upper: string; readonly ignore: IgnoreRules },
): Promise<void> {
  const { file } = root.tree.resolve(path, { followLast: false });
  if (file === undefined || !isDirectoryFile(file)) return;
  for (const [name, child] of root.tree.children(file)) {
    const at = path === '.' ? name : `${path}/${name}`;
    const below = join(upper, name);
    if (!isDirectoryFile(child) || (ignore.ignores(at) && !ignore.hasExceptions)) {
      if (!ignore.ignores(at)) continue;
      await mkdir(upper, { recursive: true });
      mknodat(constants.AT_FDCWD, below, { mode: constants.S_IFCHR });
    } else await hideIgnored(root, at, { upper: below, ignore });
  }
}

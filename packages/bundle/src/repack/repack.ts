import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  compareTrees,
  type Descriptor,
  digestFiles,
  draftOf,
  type EditDestination,
  type EditRecord,
  type ImageDraft,
  type ImageLayer,
  type ImageSource,
  type LayerFormat,
  type LayerStore,
  type PlannedEntry,
  planLayer,
  type TarWriteEntry,
  type TreeChange,
  type TreeNode,
  withLayer,
  writeDraft,
  writeLayer,
} from '@ocijs/image';
import { BundleError } from '../errors.ts';
import { type BundleState, readState } from '../state.ts';
import { type DiskTree, readDiskTree } from './disk-tree.ts';
import { createFileReader, type FileReader } from './file-body.ts';
import { masked } from './masked.ts';
import { readRecords } from './record/read-records.ts';
import { refreshBundle } from './refresh.ts';
import { stampTime, takeStamp } from './stamp.ts';

/** Where a repacked image is written to. */
export type RepackDestination = EditDestination & LayerStore;

/** Options of {@link repack}. */
export interface RepackOptions {
  /** The image that the bundle was made from. */
  readonly base: ImageSource;
  /** The name of the new image. */
  readonly name?: string | undefined;
  /** Default gzip. */
  readonly format?: LayerFormat | undefined;
  readonly level?: number | undefined;
  /** Paths in the root file system that stay as the image has them, with all below them. */
  readonly maskPaths?: readonly string[] | undefined;
  /** Whether the image's volumes are masked too: what is in them belongs to no image. True by default. */
  readonly maskVolumes?: boolean | undefined;
  /** Make the bundle one of the new image, so that the next repack adds what changes from now on. */
  readonly refresh?: boolean | undefined;
  /** No time in the layer is later, in nanoseconds since 1970 (`SOURCE_DATE_EPOCH`). */
  readonly clampNs?: bigint | undefined;
  /** What the image's history says. */
  readonly record?: EditRecord | undefined;
  readonly onWarning?: ((message: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What {@link repack} did. */
export interface RepackReport {
  /** Of the new manifest; of the base's when nothing changed. */
  readonly descriptor: Descriptor;
  /** The new layer; undefined when nothing changed. */
  readonly layer: ImageLayer | undefined;
  readonly changes: readonly Pick<TreeChange, 'kind' | 'path'>[];
}

/**
 * Makes an image of a bundle: what changed in its root file system since `unpack` becomes a layer on top of the image's
 * own, whose bytes stay. Only files that were touched are looked at closely, and only those of them whose metadata
 * tells nothing are read. The same changes give the same digest; nothing comes from the clock.
 *
 * Throws ERR_OCI_REPACK_FAILED for bundles that others made and files that cannot be in a layer, and what reading the
 * base and writing to the store throws.
 */
export async function repack(
  directory: string,
  store: RepackDestination,
  options: RepackOptions,
): Promise<RepackReport> {
  const { base, format, level, clampNs, record = {}, signal } = options;
  signal?.throwIfAborted();
  const bundle = resolve(directory);
  const state = await requireState(bundle);
  requireBase(state, base);
  const rootfs = join(bundle, 'rootfs');
  // What changes while this looks at it is for the next repack.
  const stamp = options.refresh === true ? await takeStamp(bundle, rootfs) : undefined;
  const before = await readRecords(bundle, { state, signal });
  const disk = readDiskTree(rootfs, {
    before,
    unpacked: state,
    stampNs: await stampTime(rootfs, state.stamp),
    isMasked: masked(base, options),
    onSkipped: (path) => options.onWarning?.(`${path} is a socket, which no layer can hold`),
    signal,
  });
  using files = createFileReader(rootfs, { unlock: state.rootless });
  await settleDoubts(disk, { base, files, signal });
  const changes = compareTrees(before, disk.root, { isSame: (_old, now) => disk.same.has(now) });
  const draft = draftOf(base);
  if (changes.length === 0) {
    const descriptor = await writeUnchanged(store, draft, options);
    return { descriptor, layer: undefined, changes };
  }
  const planned = planLayer(changes, { clampNs });
  const entries = diskEntries(planned, { files, signal });
  const createdBy = record.createdBy ?? 'oci repack';
  const layer = await writeLayer(store, { entries }, { format, level, createdBy, signal });
  const edited = withLayer(draft, layer, { ...record, createdBy });
  const descriptor = await writeDraft(store, edited, { sources: [base], name: options.name, signal });
  if (stamp !== undefined)
    await refreshBundle(bundle, { state: { ...state, stamp }, descriptor, layer, planned });
  return { descriptor, layer, changes: changes.map(({ kind, path }) => ({ kind, path })) };
}

async function requireState(directory: string): Promise<BundleState> {
  const state = await readState(directory);
  if (state !== undefined) return state;
  const isUmoci = (await stat(join(directory, 'umoci.json')).catch(() => undefined)) !== undefined;
  throw new BundleError('ERR_OCI_REPACK_FAILED', `${directory} was not made by \`oci unpack\``, {
    path: directory,
    hint: isUmoci
      ? 'it is a bundle of umoci: `umoci repack` makes an image of it'
      : 'only a bundle with oci.json says what it was made from',
  });
}

function requireBase(state: BundleState, base: ImageSource): void {
  if (state.image.digest === base.descriptor.digest) return;
  throw new BundleError(
    'ERR_OCI_REPACK_FAILED',
    `the bundle was made from ${state.image.digest}, not from ${base.name}`,
    { expected: state.image.digest, actual: base.descriptor.digest },
  );
}

/** Compares the content of files that nothing else tells about with what the image has. */
async function settleDoubts(
  { same, doubtful }: DiskTree,
  {
    base,
    files,
    signal,
  }: { readonly base: ImageSource; readonly files: FileReader; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const wanted = new Set([...doubtful.values()].map(({ inode }) => inode));
  const digests = await digestFiles(base, wanted, { signal });
  for (const [now, before] of doubtful) {
    signal?.throwIfAborted();
    const { size } = now.inode.header;
    if (files.digest(pathBelow(now), size) === digests.get(before.inode)) same.add(now);
  }
}

function pathBelow(node: TreeNode): string {
  const names: string[] = [];
  for (let at: TreeNode | undefined = node; at?.parent !== undefined; at = at.parent) names.push(at.name);
  return names.reverse().join('/');
}

/** The planned entries with the content of files on disk. */
export function* diskEntries(
  planned: readonly PlannedEntry[],
  { files, signal }: { readonly files: FileReader; readonly signal: AbortSignal | undefined },
): Generator<TarWriteEntry, void, undefined> {
  for (const { header, content } of planned) {
    signal?.throwIfAborted();
    yield content === undefined ? { header } : { header, body: files.body(header.name, content.header.size) };
  }
}

/** Nothing changed: the image itself, in the store and with the name. */
async function writeUnchanged(
  store: RepackDestination,
  draft: ImageDraft,
  { base, name, signal }: RepackOptions,
): Promise<Descriptor> {
  const { digest } = base.descriptor;
  if ((await store.size(digest)) === undefined)
    return writeDraft(store, draft, { sources: [base], name, signal });
  if (name !== undefined) await store.tag(name, base.descriptor);
  return base.descriptor;
}

import {
  type Descriptor,
  type Digest,
  formatReference,
  ImageError,
  type Platform,
  parseImageConfig,
} from '@ocijs/image';
import { isForeign } from '../blobs.ts';
import { forEachConcurrently } from '../concurrency.ts';
import { checkConfigSize } from '../config-size.ts';
import type { ImageGraph } from '../graph.ts';
import { defaultConcurrency, limits } from '../limits.ts';
import type { RegistryOptions } from '../options.ts';
import type { BlobReport } from '../report.ts';
import { withTransferProgress } from '../transfer-progress.ts';
import {
  type Conversion,
  changesDigest,
  digestWouldChange,
  indexFormat,
  type LayerPlan,
  type ManifestPlan,
  planManifests,
} from './plan.ts';
import { recompressLayer } from './recompress.ts';
import type { CopyReport, RecompressedReport } from './report.ts';
import { rewriteIndex, rewriteManifest } from './rewrite.ts';
import { type Selected, type Selection, selectGraph } from './select.ts';
import { selectReferrers } from './select-referrers.ts';
import type { CopySource } from './source.ts';
import type { CopyTarget } from './target.ts';
import { writeReferrers } from './write-referrers.ts';

/** How an image is brought from a source to a target. */
export interface TransferOptions extends RegistryOptions {
  readonly extent: Selection['extent'];
  readonly platform?: Platform | undefined;
  readonly platforms?: readonly Platform[] | undefined;
  /** Everything that refers to what is copied, too. */
  readonly referrers?: boolean | undefined;
  readonly conversion: Conversion;
  readonly preserveDigests: boolean;
  /** What the image is called at the target. */
  readonly name: string | undefined;
}

/** Copies one image, all but the commit of the target. */
export async function transfer(
  source: CopySource,
  target: CopyTarget,
  options: TransferOptions,
): Promise<CopyReport> {
  const { signal, onEvent, conversion } = options;
  const selected = await selectGraph(source, options);
  const { graph, top } = selected;
  await source.admit(graph.manifests.map(({ descriptor }) => descriptor.digest));
  onEvent?.({ type: 'resolve', reference: source.name, digest: top.digest, mediaType: top.mediaType });
  for (const { mediaType, digest } of graph.unknown) {
    const message = `entry ${digest} of the index is of the unknown type ${mediaType} and was left out`;
    onEvent?.({ type: 'warning', code: 'INDEX_ENTRY_SKIPPED', message });
  }
  const plans = planManifests(graph, conversion);
  if (options.preserveDigests && changesDigest(graph, { plans, conversion }))
    throw digestWouldChange(top, conversion);
  if (options.referrers && target.referrers === 'none') throw cannotHoldReferrers(target);
  const attached = options.referrers ? await selectReferrers(source, graph, options) : [];
  // What is attached stays as it is.
  const others = attached.flatMap((each) => planManifests(each.graph, {}));
  const moved = await moveBlobs(source, target, { ...options, plans: [...plans, ...others] });
  signal?.throwIfAborted();
  const written = await writeDocuments(selected, target, {
    ...options,
    plans,
    replacements: moved.replacements,
    // With its digest, an index has entries that are not there.
    kept: options.extent === 'some' && !options.preserveDigests ? digestsIn(graph) : undefined,
  });
  const { replacements } = moved;
  const referrers = await writeReferrers(attached, target, { replacements, onEvent });
  await target.add(written, options.name);
  const facts = report({ source, target, selected, written, moved });
  return options.referrers ? { ...facts, referrers } : facts;
}

function digestsIn({ indexes, manifests }: ImageGraph): ReadonlySet<Digest> {
  return new Set([...indexes, ...manifests].map(({ descriptor }) => descriptor.digest));
}

function cannotHoldReferrers({ name }: CopyTarget): ImageError {
  return new ImageError('ERR_OCI_ARCHIVE_INVALID', `${name} cannot hold what refers to an image`, {
    path: name,
    hint: 'leave out --referrers, or write an OCI archive or layout',
  });
}

interface Moved {
  readonly replacements: Map<Digest, Descriptor>;
  readonly blobs: readonly BlobReport[];
  readonly recompressed: readonly RecompressedReport[];
}

/** One blob to bring over, with the image whose config says what it is. */
interface Job {
  readonly plan: LayerPlan;
  readonly diffId: () => Promise<Digest | undefined>;
}

async function moveBlobs(
  source: CopySource,
  target: CopyTarget,
  options: TransferOptions & { readonly plans: readonly ManifestPlan[] },
): Promise<Moved> {
  const { plans, signal } = options;
  const jobs = jobsOf(source, plans, signal);
  const reports = new Map<Digest, BlobReport>();
  const recompressed: RecompressedReport[] = [];
  const replacements = new Map<Digest, Descriptor>();
  // How large a layer will be that is compressed anew, nobody knows: it does not count.
  const known = jobs.flatMap(({ plan }) => (plan.recompress === undefined ? [plan.layer.size] : []));
  const onEvent = withTransferProgress(options.onEvent, {
    direction: target.direction,
    total: known.reduce((sum, size) => sum + size, 0),
  });
  const repeating = async <T>(work: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        // Into an archive, what was written stays written.
        if (target.sequential || !source.isWorthRepeating?.(error)) throw error;
      }
    }
  };
  const copyBlob = async ({ plan, diffId }: Job, blobSignal: AbortSignal): Promise<void> => {
    const { layer, recompress } = plan;
    if (isForeign(layer) && !(await source.has(layer))) return;
    const open = (): AsyncIterable<Uint8Array> => source.content.read(layer, { signal: blobSignal });
    if (recompress === undefined) {
      const job = { descriptor: layer, open, source, onEvent, signal: blobSignal };
      const status = await repeating(() => target.writeBlob(job));
      reports.set(layer.digest, {
        digest: layer.digest,
        size: layer.size,
        mediaType: plan.mediaType,
        status,
      });
      return;
    }
    const made = { open, diffId: await diffId(), signal: blobSignal };
    await using renewed = await repeating(() => recompressLayer({ ...plan, recompress }, made));
    const { descriptor } = renewed;
    const { digest, size, mediaType } = descriptor;
    const status = await target.writeBlob({
      descriptor,
      open: renewed.open,
      onEvent: options.onEvent,
      signal: blobSignal,
    });
    replacements.set(layer.digest, descriptor);
    reports.set(layer.digest, { digest, size, mediaType, status });
    recompressed.push({ from: layer.digest, to: digest, compression: recompress.to });
  };
  await forEachConcurrently(target.sequential ? jobs : bySize(jobs), {
    limit: target.sequential ? 1 : (options.concurrency ?? defaultConcurrency),
    signal,
    work: copyBlob,
  });
  return {
    replacements,
    recompressed,
    blobs: jobs.flatMap(({ plan }) => reports.get(plan.layer.digest) ?? []),
  };
}

/** Small ones first: configs and thin layers must not wait behind a large one. */
function bySize(jobs: readonly Job[]): readonly Job[] {
  return [...jobs].sort((a, b) => a.plan.layer.size - b.plan.layer.size);
}

/** Config and layers of all manifests, each digest once. */
function jobsOf(
  source: CopySource,
  plans: readonly ManifestPlan[],
  signal: AbortSignal | undefined,
): readonly Job[] {
  const jobs = new Map<Digest, Job>();
  for (const { node, layers } of plans) {
    const { config } = node.manifest;
    checkConfigSize(config);
    const diffIds = once(async () => {
      const raw = await source.content.readAll(config, { signal, limit: limits.configBytes });
      return parseImageConfig(raw).rootfs.diff_ids;
    });
    const asIs = { layer: config, mediaType: config.mediaType, recompress: undefined };
    if (!jobs.has(config.digest)) jobs.set(config.digest, { plan: asIs, diffId: async () => undefined });
    for (const [index, plan] of layers.entries())
      if (!jobs.has(plan.layer.digest))
        jobs.set(plan.layer.digest, { plan, diffId: async () => (await diffIds())[index] });
  }
  return [...jobs.values()];
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** Writes manifests, then the indexes above them, the innermost first. Returns what stands on top. */
async function writeDocuments(
  { graph, top }: Selected,
  target: CopyTarget,
  options: TransferOptions & {
    readonly plans: readonly ManifestPlan[];
    readonly replacements: Map<Digest, Descriptor>;
    readonly kept: ReadonlySet<Digest> | undefined;
  },
): Promise<Descriptor> {
  const { plans, replacements, kept, conversion, onEvent } = options;
  const write = async (before: Descriptor, renewed: ReturnType<typeof rewriteManifest>): Promise<void> => {
    await target.writeManifest(renewed.descriptor, renewed.bytes);
    if (renewed.descriptor.digest !== before.digest) replacements.set(before.digest, renewed.descriptor);
    if (!renewed.droppedAnnotations) return;
    const message = `annotations of ${before.digest} were left out: Docker's format has none`;
    onEvent?.({ type: 'warning', code: 'ANNOTATIONS_DROPPED', message });
  };
  // Images before what is attached to them, whose subject may be new.
  for (const plan of [...plans].sort((a, b) => Number(b.isImage) - Number(a.isImage)))
    await write(plan.node.descriptor, rewriteManifest(plan, replacements));
  for (const node of [...graph.indexes].reverse())
    await write(
      node.descriptor,
      rewriteIndex(node, {
        format: indexFormat(node.descriptor, { plans, conversion }),
        replacements,
        kept,
      }),
    );
  const { digest, size, mediaType } = replacements.get(top.digest) ?? top;
  return { ...top, digest, size, mediaType };
}

function report({
  source,
  target,
  selected,
  written,
  moved,
}: {
  readonly source: CopySource;
  readonly target: CopyTarget;
  readonly selected: Selected;
  readonly written: Descriptor;
  readonly moved: Moved;
}): CopyReport {
  const { blobs, recompressed } = moved;
  const { platform, top } = selected;
  const place = source.remote?.place;
  const bytes = (...statuses: readonly string[]): number =>
    blobs.reduce((sum, { status, size }) => sum + (statuses.includes(status) ? size : 0), 0);
  return {
    reference: target.name,
    digest: written.digest,
    mediaType: written.mediaType,
    ...(platform === undefined ? {} : { platform }),
    blobs,
    bytesFetched: bytes('fetched', 'resumed'),
    bytesReused: bytes('reused', 'exists', 'mounted'),
    bytesPushed: bytes('pushed'),
    source: { reference: source.name, digest: top.digest },
    ...(place?.isMirror ? { mirror: formatReference(place.reference) } : {}),
    digestChanged: written.digest !== top.digest,
    recompressed,
  };
}

import type { GarbageReport } from '@ocijs/image';
import { Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { openContainers } from '../containers/collection.ts';
import { removeForgotten } from '../containers/forgotten.ts';
import { containerRoots } from '../containers/roots.ts';
import {
  removeNamespaceSnapshots,
  removeUnusedSnapshots,
  snapshotsOfImages,
} from '../containers/snapshots.ts';
import { parseDuration } from '../flags/duration.ts';
import { formatBytes } from '../render/bytes.ts';
import { formatTable } from '../render/table.ts';

export default class Gc extends BaseCommand {
  static override summary = 'Remove what no image needs from the store';
  static override description =
    'Stays: what a name leads to, with its signatures and other referrers; what a running pull, unpack or run needs; images of containers; and what is younger than --grace, since somebody may be about to name it. Unpacked layers go when neither an image nor a container needs them. Safe while other processes use the store.';
  static override examples = ['<%= config.bin %> gc --dry-run', '<%= config.bin %> gc --grace 1h'];
  static override flags = {
    'dry-run': Flags.boolean({
      default: false,
      summary: 'Only say why each blob stays or goes',
    }),
    grace: Flags.string({
      default: '24h',
      helpValue: 'DURATION',
      summary: 'Spare unnamed blobs that are younger, such as 24h, 90m or 0',
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Gc);
    const graceMs = parseDuration('--grace', flags.grace);
    const dryRun = flags['dry-run'];
    const store = await this.openStore(flags);
    if (!dryRun) await removeForgotten(openContainers(store.directory), this.progress(flags));
    const roots = await containerRoots(store.directory);
    const { collectGarbage } = await import('@ocijs/image');
    const report = await collectGarbage(store, { dryRun, graceMs, roots, signal: this.signal });
    const keep = await snapshotsOfImages(store);
    const { signal } = this;
    const onWarning = (message: string): void => this.remark(flags, `warning: ${message}`);
    const snapshots = [
      ...(await removeUnusedSnapshots(store.directory, { keep, dryRun, signal })),
      ...(await removeNamespaceSnapshots(store.directory, { dryRun, signal, onWarning })),
    ];
    const removed = report.blobs.filter(({ kept }) => !kept);
    await this.print(flags, {
      json: { dryRun, ...report, snapshots },
      quiet: removed.map(({ digest }) => digest).join('\n'),
      text: dryRun
        ? `${tableOf(report)}\n${summary(report, 'would be removed')}${unpacked(snapshots)}`
        : `${summary(report, 'removed')}${unpacked(snapshots)}`,
    });
  }
}

function tableOf({ blobs, leftovers }: GarbageReport): string {
  const rows = [
    ...blobs.map(({ digest, size, kept, reason }) => [
      digest,
      formatBytes(size),
      kept ? 'stays' : 'goes',
      reason,
    ]),
    ...leftovers.map(({ path, size, reason }) => [path, formatBytes(size), 'goes', reason]),
  ];
  return formatTable(['BLOB', 'SIZE', '', 'REASON'], rows);
}

function summary({ blobs, leftovers, bytesFreed, bytesKept }: GarbageReport, done: string): string {
  const removed = blobs.filter(({ kept }) => !kept).length;
  const others = leftovers.length === 0 ? '' : ` and ${counted(leftovers.length, 'leftover')}`;
  const kept = `${counted(blobs.length - removed, 'blob')} of ${formatBytes(bytesKept)} kept`;
  return `${counted(removed, 'blob')}${others} of ${formatBytes(bytesFreed)} ${done}, ${kept}`;
}

function unpacked(snapshots: readonly string[]): string {
  return snapshots.length === 0 ? '' : `, ${counted(snapshots.length, 'unpacked layer')} likewise`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

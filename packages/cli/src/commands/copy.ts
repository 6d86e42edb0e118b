import type { Compression } from '@ocijs/image';
import type { CopyReport, ManifestFormat } from '@ocijs/registry';
import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { reportDocument } from '../describe.ts';
import { usageError } from '../errors.ts';
import { platformsFlags, wantedPlatforms } from '../flags/platform.ts';
import { registryFlags, registryOptions } from '../flags/registry.ts';
import { parseImageName, transportForms } from '../image-name.ts';
import { destinationLocation, sourceLocation } from '../locations.ts';
import { keepHeapSmall } from '../memory.ts';
import { formatBytes } from '../render/bytes.ts';

export default class Copy extends BaseCommand {
  static override summary = 'Copy an image between registries, the store, layouts, archives and directories';
  static override description =
    `Source and destination are each one of ${transportForms}; - as FILE is standard input or output. A plain name as a source is the store's when it has the image, else the registry's; as a destination it is the store's. What the destination has is not read again.`;
  static override examples = [
    '<%= config.bin %> copy docker://debian:12 oci:layout:v1',
    '<%= config.bin %> copy --all-platforms docker://alpine docker://registry.example.com/alpine',
    '<%= config.bin %> copy --platform linux/amd64,linux/arm64 --referrers docker://team/app:1 oci:layout:1',
    '<%= config.bin %> copy app:v1 docker-archive:- | docker load',
  ];
  static override args = {
    source: Args.string({ required: true, ignoreStdin: true, description: 'Image to copy' }),
    destination: Args.string({ required: true, ignoreStdin: true, description: 'Where to' }),
  };
  static override flags = {
    'all-platforms': Flags.boolean({
      default: false,
      summary: 'Copy every platform of the image',
      exclusive: ['platform'],
    }),
    referrers: Flags.boolean({
      default: false,
      summary: 'Copy signatures, attestations and all else that refers to the image',
    }),
    format: Flags.string({ options: ['oci', 'docker'], summary: 'Convert manifests (changes the digest)' }),
    compression: Flags.string({
      options: ['gzip', 'zstd', 'none'],
      summary: 'Compress layers anew (changes the digest)',
    }),
    'preserve-digests': Flags.boolean({
      default: false,
      summary: 'Fail rather than change a digest; an index keeps entries that are not copied',
    }),
    'src-creds': Flags.string({
      helpValue: 'USER:PASS',
      summary: "Log in to the source's registry with other credentials",
    }),
    ...platformsFlags,
    ...registryFlags,
  };

  async run(): Promise<void> {
    keepHeapSmall();
    const { args, flags } = await this.parse(Copy);
    const to = parseImageName(args.destination);
    const isPiped = 'file' in to && to.file === '-';
    if (isPiped && flags.json) throw usageError('--json and the archive cannot both go to standard output');
    const openStore = () => this.openStore(flags);
    const creds = flags['src-creds'];
    const source = await sourceLocation(parseImageName(args.source), openStore);
    const destination = await destinationLocation(to, openStore);
    const [{ copy }, { hashBlobsTogether }] = await Promise.all([
      import('@ocijs/registry'),
      import('@ocijs/bundle/hashing'),
    ]);
    hashBlobsTogether();
    const report = await copy(source, destination, {
      ...registryOptions(flags),
      ...(await wantedPlatforms(flags.platform)),
      ...(creds === undefined ? {} : { sourceOptions: registryOptions({ creds }) }),
      allPlatforms: flags['all-platforms'],
      referrers: flags.referrers,
      preserveDigests: flags['preserve-digests'],
      format: flags.format as ManifestFormat | undefined,
      compression: flags.compression as Compression | undefined,
      signal: this.signal,
      onEvent: this.progress(flags),
    });
    const text = formatReport(report);
    if (isPiped) return this.remark(flags, text);
    await this.print(flags, { json: reportDocument(report), quiet: report.digest, text });
    if (to.transport === 'name')
      this.remark(flags, `kept in the store: oci push ${to.name} sends it to its registry`);
  }
}

function formatReport(report: CopyReport): string {
  const { reference, digest, blobs, bytesFetched = 0, bytesPushed = 0 } = report;
  const kept: readonly string[] = ['reused', 'exists', 'mounted'];
  const moved = blobs.filter(({ status }) => !kept.includes(status)).length;
  const lines = [
    `${reference}@${digest}`,
    `${moved} of ${blobs.length} blobs copied, ${formatBytes(bytesFetched + bytesPushed)}`,
  ];
  const attached = report.referrers?.length ?? 0;
  if (attached > 0) lines.push(`${attached} referrer${attached === 1 ? '' : 's'} copied with it`);
  const anew = report.recompressed.length;
  if (anew > 0) lines.push(`${anew} layer${anew === 1 ? '' : 's'} with other compression`);
  if (report.digestChanged) lines.push(`the digest was ${report.source.digest}`);
  return lines.join('\n');
}

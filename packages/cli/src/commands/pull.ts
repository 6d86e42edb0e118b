import type { PulledImage } from '@ocijs/registry';
import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { reportDocument } from '../describe.ts';
import { usageError } from '../errors.ts';
import { platformFlags, wantedPlatform } from '../flags/platform.ts';
import { registryFlags, registryOptions } from '../flags/registry.ts';
import { nameInRegistry, parseImageName } from '../image-name.ts';
import { keepHeapSmall, releaseMemoryAtLargeBlob } from '../memory.ts';
import { formatBytes } from '../render/bytes.ts';

export default class Pull extends BaseCommand {
  static override summary = 'Bring images from a registry into the store';
  static override description =
    'Everything is verified on the way; what the store has already is not fetched again.';
  static override examples = [
    '<%= config.bin %> pull debian:bookworm',
    '<%= config.bin %> pull --json quay.io/a/b@sha256:…',
  ];
  static override strict = false;
  static override args = {
    image: Args.string({
      required: true,
      ignoreStdin: true,
      description: 'NAME[:TAG][@DIGEST], one or several',
    }),
  };
  static override flags = {
    'expect-digest': Flags.string({ helpValue: 'DIGEST', summary: 'Fail unless the image has this digest' }),
    'all-platforms': Flags.boolean({
      default: false,
      summary: 'Pull every platform of the image',
      exclusive: ['platform'],
    }),
    ...platformFlags,
    ...registryFlags,
  };

  async run(): Promise<void> {
    keepHeapSmall();
    const { argv, flags } = await this.parse(Pull);
    const names = argv.map(String).map(remoteName);
    if (names.length > 1 && flags['expect-digest'] !== undefined) {
      throw usageError('--expect-digest goes with one image');
    }
    const { parseDigest, parseReference } = await import('@ocijs/image');
    names.forEach(parseReference);
    const expected = flags['expect-digest'];
    const options = {
      ...registryOptions(flags),
      ...(await wantedPlatform(flags.platform)),
      ...(flags['all-platforms'] ? { allPlatforms: true } : {}),
      ...(expected === undefined ? {} : { expectDigest: parseDigest(expected) }),
      store: await this.openStore(flags),
      signal: this.signal,
      onEvent: releaseMemoryAtLargeBlob(this.progress(flags)),
    };
    const [{ pull }, { hashBlobsTogether }] = await Promise.all([
      import('@ocijs/registry'),
      import('@ocijs/bundle/hashing'),
    ]);
    hashBlobsTogether();
    const reports: PulledImage['report'][] = [];
    for (const name of names) reports.push((await pull(name, options)).report);
    const documents = reports.map(reportDocument);
    await this.print(flags, {
      json: reports.length === 1 ? documents[0] : documents,
      quiet: reports.map(({ digest }) => digest).join('\n'),
      text: reports.map(formatReport).join('\n'),
    });
  }
}

/** `pull` speaks to registries only, so other transports make no sense here. */
function remoteName(text: string): string {
  const name = nameInRegistry(parseImageName(text));
  if (name !== undefined) return name;
  throw usageError(`${text} is not in a registry`, 'pull takes NAME[:TAG][@DIGEST] or docker://NAME');
}

function formatReport({ reference, digest, blobs, bytesFetched }: PulledImage['report']): string {
  const fetched = blobs.filter(({ status }) => status === 'fetched' || status === 'resumed').length;
  const size = formatBytes(bytesFetched ?? 0);
  return `${reference}@${digest}\n${fetched} of ${blobs.length} blobs fetched, ${size}`;
}

import type { Descriptor, Platform, Store } from '@ocijs/image';
import { BaseCommand } from '../base-command.ts';
import { imageSize, platformText } from '../describe.ts';
import { codeOf } from '../exit-codes.ts';
import { formatBytes } from '../render/bytes.ts';
import { formatAge, formatTable } from '../render/table.ts';
import { shortId } from '../render/text.ts';

interface Row {
  readonly name: string;
  readonly digest: string;
  readonly mediaType: string;
  readonly platforms: readonly string[];
  /** Bytes of the manifest, config and layers of the platforms that the store has. */
  readonly size: number;
  readonly created?: string;
}

export default class Images extends BaseCommand {
  static override summary = 'List the images in the store';
  static override examples = ['<%= config.bin %> images', '<%= config.bin %> images --json'];

  async run(): Promise<void> {
    const { flags } = await this.parse(Images);
    const store = await this.openStore(flags);
    const rows: Row[] = [];
    for (const { name, descriptor } of await store.list()) {
      this.signal.throwIfAborted();
      rows.push(await describeRow(store, { name, descriptor, signal: this.signal }));
    }
    rows.sort((left, right) => (left.name < right.name ? -1 : 1));
    const now = Date.now();
    await this.print(flags, {
      json: rows,
      quiet: rows.map(({ digest }) => digest).join('\n'),
      text: formatTable(
        ['NAME', 'DIGEST', 'PLATFORM', 'CREATED', 'SIZE'],
        rows.map((row) => [
          row.name,
          shortId(row.digest),
          row.platforms.join(' ') || '-',
          row.created === undefined ? '-' : formatAge(Date.parse(row.created), now),
          formatBytes(row.size),
        ]),
      ),
    });
  }
}

interface Named {
  readonly name: string;
  readonly descriptor: Descriptor;
  readonly signal: AbortSignal;
}

async function describeRow(store: Store, { name, descriptor, signal }: Named): Promise<Row> {
  const platforms: Platform[] = [];
  const created: string[] = [];
  let size = 0;
  for (const manifest of await manifestsBelow(store, { name, descriptor, signal })) {
    try {
      const image = await store.image(manifest, {
        signal,
        ...(manifest.platform && { platform: manifest.platform }),
      });
      platforms.push(image.platform);
      size += imageSize(image);
      if (image.config.created !== undefined) created.push(image.config.created);
    } catch (error) {
      // A platform that was never pulled, or an artifact without an image configuration, has nothing to list.
      const code = codeOf(error);
      if (code === undefined || !code.startsWith('ERR_OCI_')) throw error;
    }
  }
  const newest = created
    .filter((time) => !Number.isNaN(Date.parse(time)))
    .sort()
    .at(-1);
  return {
    name,
    digest: descriptor.digest,
    mediaType: descriptor.mediaType,
    platforms: platforms.map(platformText),
    size,
    ...(newest === undefined ? {} : { created: newest }),
  };
}

async function manifestsBelow(store: Store, { descriptor, signal }: Named): Promise<readonly Descriptor[]> {
  const { isIndexType, parseIndex } = await import('@ocijs/image');
  if (!isIndexType(descriptor.mediaType)) return [descriptor];
  const { manifests } = parseIndex(await store.readAll(descriptor, { signal }), {
    mediaType: descriptor.mediaType,
  });
  const present: Descriptor[] = [];
  for (const child of manifests) {
    if ((await store.size(child.digest)) !== undefined && !isIndexType(child.mediaType)) present.push(child);
  }
  return present;
}

import { createLayerApplier, linuxOperations } from '@ocijs/bundle';
import { createTarParser, decompress } from '@ocijs/image';
import { whiteoutRefused } from '../add/archive.ts';
import { MAX_CONTEXT_ENTRIES } from '../limits.ts';

export interface ExtractOptions {
  readonly directory: string;
  /** Files belong to whom the archive says, not to the caller. */
  readonly owners?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Unpacks an archive, compressed or not, into a directory. Nothing outside is touched, whatever the archive holds; devices
 * become empty files.
 *
 * @throws BuildError `ERR_OCI_BUILD_ARCHIVE_INVALID` for names that mean something else in a layer; what reading an archive and
 * writing files throw.
 */
export async function extractArchive(
  source: AsyncIterable<Uint8Array>,
  { directory, owners = false, signal }: ExtractOptions,
): Promise<void> {
  using applier = createLayerApplier(directory, {
    operations: linuxOperations(),
    rootless: !owners,
    placeholderDevices: true,
    uidMap: [],
    gidMap: [],
    keepDirlinks: false,
    limits: { entries: MAX_CONTEXT_ENTRIES },
  });
  const parser = createTarParser({
    entry(header) {
      if (header.name.split('/').some((name) => name.startsWith('.wh.'))) throw whiteoutRefused(header.name);
      applier.entry(header);
    },
    data: (chunk) => applier.data(chunk),
    end: () => applier.end(),
  });
  for await (const chunk of decompress(source, { compression: 'auto', signal })) parser.push(chunk);
  parser.finish();
  applier.finish();
}

import { createTreeBuilder } from '../contents/image-tree.ts';
import { parseLayer } from '../contents/layer-entries.ts';
import type { Inode } from '../contents/tree.ts';
import { walkTree } from '../contents/walk.ts';
import { createHasher, type Hasher } from '../digest/hasher.ts';
import { draftOf } from '../edit/draft.ts';
import { alignedHistory } from '../edit/history.ts';
import type { OnEvent } from '../events.ts';
import type { ImageSource } from '../source.ts';
import type { TarEntry } from '../tar/entry.ts';
import { findDuplicates } from './duplicates.ts';
import { createFileHistory } from './file-history.ts';
import { storedSize } from './stored-size.ts';
import type { ImageAnalysis, LayerAnalysis } from './types.ts';
import { findWaste } from './waste.ts';

/** Options of {@link analyzeImage}. */
export interface AnalyzeImageOptions {
  /** Told after each layer. */
  readonly onEvent?: OnEvent | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Looks at everything an image holds: what each layer adds, changes and removes, which bytes nobody sees in the end, and
 * which files are there more than once. Each layer is read once and verified; nothing is unpacked, and no more memory
 * is taken than the list of files needs.
 *
 * Throws what the source and the formats throw, ERR_OCI_CONFIG_INVALID when manifest and configuration name different
 * numbers of layers, and ERR_OCI_LIMIT_EXCEEDED above `TREE_ENTRIES_LIMIT` entries.
 */
export async function analyzeImage(
  image: ImageSource,
  { onEvent, signal }: AnalyzeImageOptions = {},
): Promise<ImageAnalysis> {
  const draft = draftOf(image);
  const told = alignedHistory(draft).filter(({ empty_layer }) => empty_layer !== true);
  const builder = createTreeBuilder();
  const contents = new Map<Inode, string>();
  const history = createFileHistory({ contentOf: (inode) => contents.get(inode), growing: true });
  const layers: Omit<LayerAnalysis, 'wastedBytes'>[] = [];
  const total = image.manifest.layers.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  for (const [index, descriptor] of image.manifest.layers.entries()) {
    let entries = 0;
    let bytes = 0;
    let open: { readonly inode: Inode; readonly header: TarEntry; readonly hasher: Hasher } | undefined;
    const handler = {
      entry: (header: TarEntry) => {
        const inode = builder.add(header, index);
        entries += 1;
        bytes += storedSize(header);
        if (header.type !== 'file') return;
        open = { inode, header, hasher: createHasher('sha256') };
        // The holes of a hostile file are without end: they are hashed as what they are.
        if (header.sparse !== undefined)
          open.hasher.update(Buffer.from(JSON.stringify([header.size, header.sparse])));
      },
      data: (chunk: Buffer) => open?.hasher.update(chunk),
      end: () => {
        if (open !== undefined)
          contents.set(
            open.inode,
            open.header.sparse === undefined ? open.hasher.digest() : `sparse ${open.hasher.digest()}`,
          );
        open = undefined;
      },
    };
    const archiveBytes = await parseLayer(image, descriptor, { handler, signal });
    const changes = history.record(builder.root, index);
    const diffId = image.config.rootfs.diff_ids[index] ?? descriptor.digest;
    layers.push({ descriptor, diffId, history: told[index] ?? {}, entries, archiveBytes, bytes, ...changes });
    done += descriptor.size;
    onEvent?.({ type: 'layer-read', index, digest: descriptor.digest, total, done });
  }
  const visible = new Set<Inode>();
  for (const { inode } of walkTree(builder.root)) if (inode.header.type !== 'directory') visible.add(inode);
  const { wasted, ofLayers } = findWaste(history.root, visible);
  return {
    image,
    layers: layers.map((layer, index) => ({ ...layer, wastedBytes: ofLayers.get(index) ?? 0 })),
    root: builder.root,
    history: history.root,
    contents,
    files: visible.size,
    bytes: sumOf(visible),
    layerBytes: layers.reduce((sum, { bytes }) => sum + bytes, 0),
    wasted,
    duplicates: findDuplicates(builder.root, contents),
  };
}

function sumOf(inodes: Iterable<Inode>): number {
  let sum = 0;
  for (const { header } of inodes) sum += storedSize(header);
  return sum;
}

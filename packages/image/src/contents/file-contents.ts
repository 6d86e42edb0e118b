import type { Digest } from '../digest/digest.ts';
import { createHasher } from '../digest/hasher.ts';
import type { ImageSource } from '../source.ts';
import { readTar } from '../tar/reader.ts';
import type { TarWriteEntry } from '../tar/write-tar.ts';
import { layerTar, type ReadLayerOptions } from './layer-entries.ts';
import type { PlannedEntry } from './plan-layer.ts';
import type { Inode } from './tree.ts';

/** A file of the image and its content. */
export interface FileContent {
  readonly inode: Inode;
  /** To be read before the next file is asked for, or not at all. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** The content of some files of an image, in the order in which the layers have it; each layer is read once, and verified. */
export async function* fileContents(
  image: ImageSource,
  inodes: Iterable<Inode>,
  { signal }: ReadLayerOptions = {},
): AsyncGenerator<FileContent, void, undefined> {
  const wanted = new Map<number, Map<number, Inode>>();
  for (const inode of inodes) {
    const ofLayer = wanted.get(inode.layer) ?? new Map<number, Inode>();
    wanted.set(inode.layer, ofLayer.set(inode.ordinal, inode));
  }
  for (const [index, layer] of image.manifest.layers.entries()) {
    const ofLayer = wanted.get(index);
    if (ofLayer === undefined) continue;
    let ordinal = -1;
    for await (const { body } of readTar(layerTar(image, layer, { signal }), { signal })) {
      ordinal += 1;
      const inode = ofLayer.get(ordinal);
      if (inode !== undefined) yield { inode, body };
    }
  }
}

/** The digests of the content of some files. */
export async function digestFiles(
  image: ImageSource,
  inodes: Iterable<Inode>,
  options: ReadLayerOptions = {},
): Promise<ReadonlyMap<Inode, Digest>> {
  const digests = new Map<Inode, Digest>();
  for await (const { inode, body } of fileContents(image, inodes, options)) {
    const hasher = createHasher('sha256');
    for await (const chunk of body) hasher.update(chunk);
    digests.set(inode, hasher.digest());
  }
  return digests;
}

/**
 * Planned entries with the content of an image's files: first everything without content, then the files in the order
 * of the layers, each followed by its hard links. Nothing is written anywhere on the way.
 */
export async function* imageEntries(
  image: ImageSource,
  planned: readonly PlannedEntry[],
  options: ReadLayerOptions = {},
): AsyncGenerator<TarWriteEntry, void, undefined> {
  const files = new Map<Inode, PlannedEntry>();
  const links = new Map<Inode, PlannedEntry[]>();
  for (const entry of planned) {
    const { content, linkTo } = entry;
    if (content !== undefined) files.set(content, entry);
    else if (linkTo !== undefined && files.has(linkTo))
      links.set(linkTo, [...(links.get(linkTo) ?? []), entry]);
    else yield { header: entry.header };
  }
  for await (const { inode, body } of fileContents(image, files.keys(), options)) {
    const file = files.get(inode);
    if (file === undefined) continue;
    yield { header: file.header, body };
    for (const { header } of links.get(inode) ?? []) yield { header };
  }
}

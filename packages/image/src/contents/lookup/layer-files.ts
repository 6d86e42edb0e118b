import type { Descriptor } from '../../descriptor.ts';
import type { Digest } from '../../digest/digest.ts';
import { verifiedStream } from '../../digest/verify.ts';
import type { ImageSource } from '../../source.ts';
import type { TarEntry } from '../../tar/entry.ts';
import { readTar } from '../../tar/reader.ts';
import { layerTar, type ReadLayerOptions } from '../layer-entries.ts';

/** What is in a layer, and the way to the content of its files. */
export interface LayerFiles {
  /** In the order of the layer. */
  readonly entries: readonly TarEntry[];
  /**
   * The content of a file, by the place of its entry; it never ends cleanly when it is wrong. No more of the layer is
   * read than it takes.
   */
  open(ordinal: number, options?: ReadLayerOptions): AsyncIterable<Uint8Array>;
}

/** A layer to look into. */
export interface LayerPlace {
  readonly image: ImageSource;
  readonly layer: Descriptor;
}

/** Where a file of a layer is, and what it must be. */
export interface FilePlace {
  readonly ordinal: number;
  /** In bytes. */
  readonly size: number;
  /** Of the content; without it, the layer is read to its end, which verifies it. */
  readonly digest: Digest | undefined;
}

/** Reads a layer up to the end of one of its files. */
export async function* fileInLayer(
  { image, layer }: LayerPlace,
  { ordinal, size, digest }: FilePlace,
  { signal }: ReadLayerOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  let place = -1;
  for await (const { body } of readTar(layerTar(image, layer, { signal }), { signal })) {
    place += 1;
    if (place !== ordinal) continue;
    if (digest === undefined) yield* body;
    else {
      yield* verifiedStream(body, { digest, size, signal });
      return;
    }
  }
}

import type { Descriptor } from '../descriptor.ts';
import type { ReadBlobOptions } from '../source.ts';

/**
 * Where images are written to: blobs first, then manifests, children before parents, then what each image is
 * called, and at last the commit, before which nobody sees a half-written image. Without a commit the sink leaves nothing
 * visible behind; a store keeps blobs that arrived.
 */
export interface ImageSink extends AsyncDisposable {
  /** The file or directory, for messages. */
  readonly location: string;
  /** True when blobs must come one after the other. */
  readonly sequential: boolean;
  /** Whether the blob or manifest is there already, and is what it should be. */
  has(descriptor: Descriptor, options?: ReadBlobOptions): Promise<boolean>;
  /** Writes a blob; the bytes are checked against the descriptor on the way. */
  writeBlob(
    descriptor: Descriptor,
    source: AsyncIterable<Uint8Array>,
    options?: ReadBlobOptions,
  ): Promise<void>;
  /** Writes a manifest or an index. */
  writeManifest(descriptor: Descriptor, bytes: Uint8Array): Promise<void>;
  /** Makes what a descriptor refers to an image of its own; without a name where the form allows that. */
  add(descriptor: Descriptor, name?: string): Promise<void>;
  /** Completes everything. */
  commit(): Promise<void>;
}

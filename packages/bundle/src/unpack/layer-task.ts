import type { MessagePort } from 'node:worker_threads';
import type { Descriptor, Digest } from '@ocijs/image';
import type { LayerLimits } from '../limits.ts';
import type { ApplyOptions, ApplyWarning } from '../rootfs/layer-context.ts';
import type { OverlayTarget } from '../rootfs/overlay/overlay-operations.ts';
import type { RingMemory } from './content-ring.ts';
import type { TransferredError } from './error-transfer.ts';

/** One layer to apply, in a form that crosses threads. */
export interface LayerTask extends ApplyOptions {
  readonly rootfs: string;
  readonly descriptor: Pick<Descriptor, 'digest' | 'size' | 'mediaType'>;
  /** The digest of the uncompressed layer, from the image configuration. */
  readonly diffId: Digest;
  /** The blob in a local file; without it the main thread sends the bytes. */
  readonly file: string | undefined;
  /** A new file for the record of the layer's entries, which a repack compares files with. */
  readonly record?: string;
  readonly limits?: LayerLimits | undefined;
  /** Keep the layer apart from those below, in the form of overlayfs; the root file system is its own then. */
  readonly overlay?: OverlayTarget;
}

/** What a thread is told to do its part of, one layer after the other. */
export interface LayerRequest {
  /** Counts the layers; every reply names its layer. */
  readonly layer: number;
  readonly task: LayerTask;
  /** Where the bytes of the blob come from when it is in no file; only for the thread that reads it. */
  readonly blob: MessagePort | undefined;
  /** Where the content goes from the thread that reads it to the others; undefined when one thread does everything. */
  readonly ring: RingMemory | undefined;
}

/** The bytes of a blob that is not in a file, for the thread that reads it; it answers each chunk that it used up. */
export type BlobMessage =
  | { readonly type: 'chunk'; readonly bytes: Uint8Array }
  /** No more chunks: the blob is complete, or reading it failed and the thread's result does not matter. */
  | { readonly type: 'end' };

/** What threads tell about a layer. */
export type LayerReply = { readonly layer: number } & (
  | { readonly type: 'progress'; readonly done: number }
  | { readonly type: 'warning'; readonly warning: ApplyWarning }
  /** The blob is what its descriptor says; decompressing it may have failed all the same. */
  | { readonly type: 'read'; readonly failure: TransferredError | undefined }
  | { readonly type: 'hashed'; readonly digest: string }
  | { readonly type: 'written'; readonly entries: number }
  /** The part of one thread: of the reading one it means that the blob is damaged or could not be read. */
  | { readonly type: 'failed'; readonly part: LayerPart; readonly error: TransferredError }
);

/** The parts of the work on a layer that threads share out. */
export type LayerPart = 'read' | 'hashed' | 'written';

/** What all threads start with. */
export interface LayerThreadData {
  /** One byte, 1 when the thread is to stop; read between chunks, since messages wait behind synchronous work. */
  readonly stop: SharedArrayBuffer;
}

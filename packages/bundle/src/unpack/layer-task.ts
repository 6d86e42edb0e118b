import type { MessagePort } from 'node:worker_threads';
import type { Descriptor, Digest } from '@ocijs/image';
import type { ApplyOptions, ApplyWarning } from '../rootfs/layer-context.ts';
import type { OverlayTarget } from '../rootfs/overlay/overlay-operations.ts';
import type { TransferredError } from './error-transfer.ts';

/** One layer to apply, in a form that crosses threads. */
export interface LayerTask extends ApplyOptions {
  readonly rootfs: string;
  readonly descriptor: Pick<Descriptor, 'digest' | 'size' | 'mediaType'>;
  /** The digest of the uncompressed layer, from the image configuration. */
  readonly diffId: Digest;
  /** The blob in a local file; without it the main thread sends the bytes. */
  readonly file: string | undefined;
  /** Keep the layer apart from those below, in the form of overlayfs; the root file system is its own then. */
  readonly overlay?: OverlayTarget;
}

/** What the layer thread and the content thread are told. */
export type LayerRequest =
  /** With `content`, a content thread reads the blob: it sends its content there, the layer thread takes it there. */
  | { readonly type: 'layer'; readonly task: LayerTask; readonly content: MessagePort | undefined }
  | BlobMessage;

/** The bytes of a blob that is not in a file, for the thread that reads it. */
export type BlobMessage =
  | { readonly type: 'chunk'; readonly bytes: Uint8Array }
  /** No more chunks: the blob is complete, or reading it failed and the thread's result does not matter. */
  | { readonly type: 'end' };

/** What the layer thread and the content thread tell. */
export type LayerReply =
  | { readonly type: 'progress'; readonly done: number }
  | { readonly type: 'warning'; readonly warning: ApplyWarning }
  /** One chunk was used up: send another. */
  | { readonly type: 'more' }
  | { readonly type: 'done'; readonly entries: number }
  | { readonly type: 'failed'; readonly error: TransferredError };

/** What the content thread sends to the layer thread. */
export type ContentMessage =
  /** The receiver owns the bytes and their buffer. */
  | { readonly type: 'content'; readonly bytes: Uint8Array }
  /** The blob is what its descriptor says; decompressing it may have failed all the same. */
  | { readonly type: 'end'; readonly digest: string; readonly failure: TransferredError | undefined }
  /** The blob is damaged, or could not be read. */
  | { readonly type: 'damaged'; readonly error: TransferredError };

/** What the layer thread answers: it can take one more piece of content, or needs no more of it. */
export type ContentReply = 'more' | 'enough';

/** What both threads start with. */
export interface LayerThreadData {
  /** One byte, 1 when the thread is to stop; read between chunks, since messages wait behind synchronous work. */
  readonly stop: SharedArrayBuffer;
}

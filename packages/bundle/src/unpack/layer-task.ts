import type { Descriptor, Digest } from '@ocijs/image';
import type { ApplyOptions, ApplyWarning } from '../rootfs/layer-context.ts';
import type { TransferredError } from './error-transfer.ts';

/** One layer to apply, in a form that crosses threads. */
export interface LayerTask extends ApplyOptions {
  readonly rootfs: string;
  readonly descriptor: Pick<Descriptor, 'digest' | 'size' | 'mediaType'>;
  /** The digest of the uncompressed layer, from the image configuration. */
  readonly diffId: Digest;
  /** The blob in a local file; without it the main thread sends the bytes. */
  readonly file: string | undefined;
}

/** What the layer thread is told. */
export type LayerRequest =
  | { readonly type: 'layer'; readonly task: LayerTask }
  | { readonly type: 'chunk'; readonly bytes: Uint8Array }
  /** No more chunks: the blob is complete, or reading it failed and the thread's result does not matter. */
  | { readonly type: 'end' };

/** What the layer thread tells. */
export type LayerReply =
  | { readonly type: 'progress'; readonly done: number }
  | { readonly type: 'warning'; readonly warning: ApplyWarning }
  /** One chunk was used up: send another. */
  | { readonly type: 'more' }
  | { readonly type: 'done'; readonly entries: number }
  | { readonly type: 'failed'; readonly error: TransferredError };

/** What the layer thread starts with. */
export interface LayerThreadData {
  /** One byte, 1 when the thread is to stop; read between chunks, since messages wait behind synchronous work. */
  readonly stop: SharedArrayBuffer;
}

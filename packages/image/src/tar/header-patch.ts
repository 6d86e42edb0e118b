import { checksum } from './checksum.ts';

const blockSize = 512;

/** What tar-stream cannot put into a header block by itself. */
export interface HeaderPatch {
  /** Bytes of the body that follows the block. */
  readonly size: number;
  /** Marks the entry as a pax extended header. */
  readonly isPax: boolean;
  /** Octal fields of eight bytes, by their offset, that need all seven digits. */
  readonly octalFields: readonly { readonly offset: number; readonly value: number }[];
}

/**
 * Passes an archive of tar-stream on and amends its header blocks. The nth block is amended by the nth
 * patch, which must be in `patches` before the block arrives, and is taken from it.
 */
export async function* patchHeaders(
  archive: AsyncIterable<unknown>,
  patches: HeaderPatch[],
): AsyncGenerator<Uint8Array, void, undefined> {
  let bodyBytes = 0;
  for await (const chunk of archive) {
    if (!(chunk instanceof Uint8Array) || chunk.length === 0) continue;
    if (bodyBytes > 0) {
      bodyBytes -= chunk.length;
      yield chunk;
      continue;
    }
    const patch = patches.shift();
    if (patch !== undefined) {
      bodyBytes = Math.ceil(patch.size / blockSize) * blockSize;
      amend(chunk, patch);
    }
    yield chunk;
  }
}

/** tar-stream emits each header block as a chunk of its own; anything else means that the count went wrong. */
function amend(block: Uint8Array, { isPax, octalFields }: HeaderPatch): void {
  if (block.length !== blockSize)
    throw new TypeError('tar-stream did not emit a header block where one is due');
  if (!isPax && octalFields.length === 0) return;
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
  if (isPax) bytes.write('x', 156, 'latin1');
  for (const { offset, value } of octalFields) {
    bytes.write(`${value.toString(8).padStart(7, '0')}\0`, offset, 'latin1');
  }
  bytes.write(`${checksum(bytes).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}

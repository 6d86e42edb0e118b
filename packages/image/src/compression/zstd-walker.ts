import { invalidCompression, windowTooLarge } from './failure.ts';
import { ZSTD_WINDOW_LOG_LIMIT } from './limits.ts';
import { requireZeros } from './zero-padding.ts';

/** What receives a zstd stream cut into its frames; skippable frames and padding are left out. */
export interface ZstdFrameHandler {
  /** Bytes of the current frame. */
  data(chunk: Uint8Array): void;
  /** The current frame is complete. */
  end(): void;
}

/** Finds the frames of a zstd stream without decoding them. */
export interface ZstdWalker {
  push(chunk: Uint8Array): void;
  /** Throws ERR_OCI_COMPRESSION_INVALID when the stream ends inside of a frame. */
  finish(): void;
}

type Field =
  | 'magic'
  | 'descriptor'
  | 'frame-header'
  | 'block-header'
  | 'checksum'
  | 'skip-size'
  | 'block'
  | 'skip'
  | 'padding';

const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;

/**
 * Creates a walker over frames (RFC 8878, 3.1). node:zlib decodes one frame and drops what is behind it, or
 * nothing at all behind a skippable frame, hence the frames are told apart here. Behind the last frame only
 * zeros may follow. Throws ERR_OCI_COMPRESSION_INVALID, and ERR_OCI_LIMIT_EXCEEDED for a window above 128 MiB.
 */
export function createZstdWalker(handler: ZstdFrameHandler): ZstdWalker {
  const held: Buffer = Buffer.alloc(18);
  let heldBytes = 0;
  let field: Field = 'magic';
  /** Bytes that the current field still needs. */
  let needed = 4;
  let hasChecksum = false;
  let isSingleSegment = false;
  let isLastBlock = false;
  let sawFrame = false;

  function push(chunk: Uint8Array): void {
    let rest = chunk;
    while (rest.length > 0) {
      if (field === 'padding') {
        requireZeros(rest, 'zstd');
        return;
      }
      const taken = rest.subarray(0, Math.min(needed, rest.length));
      rest = rest.subarray(taken.length);
      needed -= taken.length;
      if (field === 'block') handler.data(taken);
      else if (field !== 'skip') heldBytes += Buffer.from(taken.buffer, taken.byteOffset, taken.length).copy(held, heldBytes);
      if (needed === 0) advance();
    }
  }

  function expect(next: Field, bytes: number): void {
    field = next;
    needed = bytes;
    if (bytes === 0) advance();
  }

  /** Passes a field on that belongs to the frame, in a copy because the next field overwrites it. */
  function release(): void {
    handler.data(Buffer.from(held.subarray(0, heldBytes)));
    heldBytes = 0;
  }

  function advance(): void {
    switch (field) {
      case 'magic':
        return readMagic();
      case 'descriptor':
        return readDescriptor();
      case 'frame-header':
        return readFrameHeader();
      case 'block-header':
        return readBlockHeader();
      case 'block':
        return endBlock();
      case 'checksum':
        return endFrame();
      case 'skip-size':
        heldBytes = 0;
        return expect('skip', held.readUInt32LE(0));
      default:
        return expect('magic', 4);
    }
  }

  function readMagic(): void {
    const magic = held.readUInt32LE(0);
    if (magic === frameMagic) {
      field = 'descriptor';
      needed = 1;
    } else if (magic >= skippableMagic && magic <= skippableMagic + 15) {
      heldBytes = 0;
      field = 'skip-size';
      needed = 4;
    } else if (magic === 0 && sawFrame) {
      heldBytes = 0;
      field = 'padding';
      return;
    } else {
      throw invalidCompression('zstd', sawFrame ? 'is followed by something else' : 'does not begin with a frame');
    }
    sawFrame = true;
  }

  function readDescriptor(): void {
    const descriptor = held[4] ?? 0;
    if ((descriptor & 0x08) !== 0) throw invalidCompression('zstd', 'uses a reserved bit');
    hasChecksum = (descriptor & 0x04) !== 0;
    isSingleSegment = (descriptor & 0x20) !== 0;
    const dictionaryBytes = [0, 1, 2, 4][descriptor & 0x03] ?? 0;
    const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
    expect('frame-header', (isSingleSegment ? 0 : 1) + dictionaryBytes + sizeBytes);
  }

  function readFrameHeader(): void {
    if (!isSingleSegment && windowSize(held[5] ?? 0) > 2 ** ZSTD_WINDOW_LOG_LIMIT) throw windowTooLarge();
    release();
    expect('block-header', 3);
  }

  function readBlockHeader(): void {
    const header = held.readUIntLE(0, 3);
    release();
    isLastBlock = (header & 1) === 1;
    const type = (header >> 1) & 3;
    if (type === 3) throw invalidCompression('zstd', 'uses a reserved block type');
    expect('block', type === 1 ? 1 : header >> 3);
  }

  function endBlock(): void {
    if (!isLastBlock) expect('block-header', 3);
    else if (hasChecksum) expect('checksum', 4);
    else endFrame();
  }

  function endFrame(): void {
    if (heldBytes > 0) release();
    handler.end();
    expect('magic', 4);
  }

  function finish(): void {
    if (field === 'padding' || (field === 'magic' && heldBytes === 0 && sawFrame)) return;
    if (field === 'magic' && sawFrame) return requireZeros(held.subarray(0, heldBytes), 'zstd');
    throw invalidCompression('zstd', 'is cut off');
  }

  return { push, finish };
}

/** The window that a frame asks for, in bytes (RFC 8878, 3.1.1.1.2). */
function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 0x07);
}

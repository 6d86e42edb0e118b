import { invalidCompression, windowTooLarge } from './failure.ts';
import { ZSTD_WINDOW_LOG_LIMIT } from './limits.ts';
import { isZeros, requireZeros } from './zero-padding.ts';

/** What receives a zstd stream cut into its frames; skippable frames and padding are left out. */
export interface ZstdFrameHandler {
  /** Bytes of the current frame. */
  data(chunk: Uint8Array): void;
  /** The current frame is complete, and said how many bytes it contains, or did not. */
  end(contentSize: number | undefined): void;
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
  | 'skip';

const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;

/**
 * Creates a walker over frames (RFC 8878, 3.1). node:zlib decodes one frame and drops what is behind it, or
 * nothing at all behind a skippable frame, hence the frames are told apart here. Behind the last frame only
 * zeros may follow. Throws ERR_OCI_COMPRESSION_INVALID, and ERR_OCI_LIMIT_EXCEEDED for a window above 128 MiB.
 */
export function createZstdWalker(handler: ZstdFrameHandler): ZstdWalker {
  const held: Buffer = Buffer.alloc(14);
  let heldBytes = 0;
  let field: Field = 'magic';
  /** Bytes that the current field still needs. */
  let needed = 4;
  let chunk: Uint8Array = held;
  let position = 0;
  /** Where the current frame begins in the chunk; undefined between frames. */
  let frameStart: number | undefined;
  let hasChecksum = false;
  let isSingleSegment = false;
  let dictionaryBytes = 0;
  let sizeBytes = 0;
  let contentSize: number | undefined;
  let isLastBlock = false;
  let sawFrame = false;
  let isPadding = false;

  function push(next: Uint8Array): void {
    chunk = next;
    position = 0;
    while (position < chunk.length && !isPadding) {
      const length = Math.min(needed, chunk.length - position);
      if (isParsed(field)) {
        held.set(chunk.subarray(position, position + length), heldBytes);
        heldBytes += length;
      }
      position += length;
      needed -= length;
      if (needed === 0) readers[field]();
    }
    if (isPadding) requireZeros(chunk.subarray(position), 'zstd');
    if (frameStart !== undefined) releaseFrame();
  }

  function expect(next: Field, bytes: number): void {
    field = next;
    needed = bytes;
    heldBytes = 0;
    if (bytes === 0) readers[field]();
  }

  /** Passes on what the chunk has of the current frame. */
  function releaseFrame(): void {
    if (position > (frameStart ?? 0)) handler.data(chunk.subarray(frameStart, position));
    frameStart = 0;
  }

  const readers: Readonly<Record<Field, () => void>> = {
    magic: readMagic,
    descriptor: readDescriptor,
    'frame-header': readFrameHeader,
    'block-header': readBlockHeader,
    block: endBlock,
    checksum: endFrame,
    'skip-size': () => expect('skip', held.readUInt32LE(0)),
    skip: () => expect('magic', 4),
  };

  function readMagic(): void {
    const magic = held.readUInt32LE(0);
    if (magic === frameMagic) {
      frameStart = Math.max(position - 4, 0);
      if (position < 4) handler.data(Uint8Array.from(held.subarray(0, 4 - position)));
      expect('descriptor', 1);
    } else if (magic >= skippableMagic && magic <= skippableMagic + 15) {
      expect('skip-size', 4);
    } else if (magic === 0 && sawFrame) {
      isPadding = true;
    } else {
      throw invalidCompression(
        'zstd',
        sawFrame ? 'is followed by something else' : 'does not begin with a frame',
      );
    }
    sawFrame = true;
  }

  function readDescriptor(): void {
    const descriptor = held[0] ?? 0;
    if ((descriptor & 0x08) !== 0) throw invalidCompression('zstd', 'uses a reserved bit');
    hasChecksum = (descriptor & 0x04) !== 0;
    isSingleSegment = (descriptor & 0x20) !== 0;
    dictionaryBytes = [0, 1, 2, 4][descriptor & 0x03] ?? 0;
    sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
    expect('frame-header', (isSingleSegment ? 0 : 1) + dictionaryBytes + sizeBytes);
  }

  function readFrameHeader(): void {
    if (!isSingleSegment && windowSize(held[0] ?? 0) > 2 ** ZSTD_WINDOW_LOG_LIMIT) throw windowTooLarge();
    contentSize = readContentSize(held.subarray((isSingleSegment ? 0 : 1) + dictionaryBytes), sizeBytes);
    expect('block-header', 3);
  }

  function readBlockHeader(): void {
    const header = held.readUIntLE(0, 3);
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
    releaseFrame();
    frameStart = undefined;
    handler.end(contentSize);
    expect('magic', 4);
  }

  function finish(): void {
    if (isPadding) return;
    if (field !== 'magic' || !sawFrame) throw invalidCompression('zstd', 'is cut off');
    if (!isZeros(held.subarray(0, heldBytes))) throw invalidCompression('zstd', 'is cut off');
  }

  return { push, finish };
}

/** The fields whose bytes are looked at; the others are counted. */
function isParsed(field: Field): boolean {
  return field !== 'block' && field !== 'skip' && field !== 'checksum';
}

/** The window that a frame asks for, in bytes (RFC 8878, 3.1.1.1.2). */
function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 0x07);
}

/** How many bytes a frame says that it contains (RFC 8878, 3.1.1.1.4). */
function readContentSize(field: Buffer, bytes: number): number | undefined {
  switch (bytes) {
    case 0:
      return undefined;
    case 1:
      return field.readUInt8();
    case 2:
      return field.readUInt16LE() + 256;
    case 4:
      return field.readUInt32LE();
    default:
      return Number(field.readBigUInt64LE());
  }
}

/** Throws ERR_OCI_COMPRESSION_INVALID when a frame contains more or less than it says: decoders see that only at times. */
export function requireContentSize(said: number | undefined, actual: number): void {
  if (said !== undefined && said !== actual)
    throw invalidCompression('zstd', `is damaged: a frame of ${said} bytes has ${actual}`);
}

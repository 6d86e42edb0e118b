import { constants, crc32, deflateRaw, zstdCompress } from 'node:zlib';
import { gzipHeader, gzipTrailer } from '../../compression/parallel-gzip.ts';

/** Compresses a piece of a layer so that it can be read by itself. */
export type PieceCodec = (bytes: Uint8Array) => Promise<Buffer>;

/** Each piece a gzip member. */
export function gzipPieces(level: number): PieceCodec {
  return (bytes) =>
    new Promise((resolve, reject) => {
      deflateRaw(bytes, { level, chunkSize: outputSize(bytes) }, (error, deflated) => {
        if (error !== null) return reject(error);
        resolve(Buffer.concat([gzipHeader(), deflated, gzipTrailer(crc32(bytes), bytes.length)]));
      });
    });
}

/** Each piece a zstd frame with a checksum. */
export function zstdPieces(level: number): PieceCodec {
  const params = { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 };
  return (bytes) =>
    new Promise((resolve, reject) => {
      zstdCompress(bytes, { chunkSize: outputSize(bytes), params }, (error, frame) =>
        error === null ? resolve(frame) : reject(error),
      );
    });
}

/** One buffer for all of the output, so that a piece takes a single turn of the thread pool. */
function outputSize({ length }: Uint8Array): number {
  return Math.max(1024, length + (length >> 6) + 128);
}

/** A frame that zstd decoders skip (RFC 8878, 3.1.2). */
export function skippableFrame(content: Uint8Array): Buffer {
  const header = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
  header.writeUInt32LE(content.length, 4);
  return Buffer.concat([header, content]);
}

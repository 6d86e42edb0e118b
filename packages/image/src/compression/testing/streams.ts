import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { Compression } from '../types.ts';

/** Compresses at once: one gzip member, one zstd frame. */
export function pack(compression: Compression, content: Uint8Array | string): Buffer {
  const bytes = Buffer.from(content);
  if (compression === 'gzip') return gzipSync(bytes);
  return compression === 'zstd' ? zstdCompressSync(bytes) : bytes;
}

/** Bytes that do not compress, the same in every run. */
export function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 0x9e3779b9;
  for (let index = 0; index < length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[index] = state & 0xff;
  }
  return bytes;
}

/** A zstd frame that decoders skip. */
export function skippableFrame(content: Uint8Array): Buffer {
  const header = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
  header.writeUInt32LE(content.length, 4);
  return Buffer.concat([header, content]);
}

export { type CompressOptions, compress } from './compress.ts';
export { type DecompressOptions, decompress } from './decompress.ts';
export { detectCompression, detectReadableCompression, layerCompression } from './detect.ts';
export { type InflateEngine, inflateEngine } from './engines.ts';
export {
  createEngineGunzip,
  type EngineStep,
  type GzipEngine,
  type OutputMemory,
} from './gzip-engine.ts';
export * from './limits.ts';
export { createSyncDecompressor, type SyncDecompressor } from './sync-decompressor.ts';
export type * from './types.ts';
export { createEngineUnzstd, type ZstdEngine } from './zstd-engine.ts';

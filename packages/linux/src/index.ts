export * from './attributes.ts';
export * from './bridge.ts';
export { constants } from './constants.ts';
export * from './create.ts';
export * from './directory.ts';
export * from './errors.ts';
export * from './file.ts';
export {
  createIsalInflater,
  type GzipInflater,
  type InflateStep,
  isalReason,
} from './isal/inflater.ts';
export { available, type Path } from './library.ts';
export * from './mount.ts';
export * from './mount-info.ts';
export * from './names.ts';
export * from './open.ts';
export * from './process.ts';
export * from './remove.ts';
export * from './spawn.ts';
export * from './stat.ts';
export * from './subvolume.ts';
export * from './supervision/index.ts';
export * from './umask.ts';
export * from './xattr.ts';
export {
  createZstdDecompressor,
  type ZstdDecompressor,
  type ZstdStep,
  zstdReason,
} from './zstd/decompressor.ts';

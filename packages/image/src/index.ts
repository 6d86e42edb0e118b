export { type AnalyzeImageOptions, analyzeImage } from './analysis/analyze-image.ts';
export { compareAnalyses } from './analysis/compare-analyses.ts';
export {
  createFileHistory,
  type FileHistory,
  type FileVersion,
  type HistoryNode,
  historyPath,
  walkHistory,
} from './analysis/file-history.ts';
export { storedSize } from './analysis/stored-size.ts';
export type * from './analysis/types.ts';
export type { ArchiveFileOptions, ArchiveInput } from './archive/archive-file.ts';
export { type ArchiveSinkOptions, archiveSink } from './archive/archive-sink.ts';
export { type ArchiveFormat, type OpenArchiveOptions, openArchive } from './archive/open-archive.ts';
export type { ArchiveOutput, WriteChunk } from './archive/output.ts';
export type { FilePart, RandomAccessFile } from './archive/random-access.ts';
export * from './build/image.ts';
export * from './build/layer.ts';
export { type CompressOptions, compress } from './compression/compress.ts';
export { type DecompressOptions, decompress } from './compression/decompress.ts';
export { detectCompression, layerCompression } from './compression/detect.ts';
export { type InflateEngine, inflateEngine } from './compression/engines.ts';
export * from './compression/limits.ts';
export { createSyncDecompressor, type SyncDecompressor } from './compression/sync-decompressor.ts';
export type * from './compression/types.ts';
export {
  type CompareImageTreesOptions,
  compareImageTrees,
  type FileChange,
  type ImageFiles,
} from './contents/compare-images.ts';
export { comparePaths, compareTrees, type TreeChange } from './contents/compare-trees.ts';
export { exportImage } from './contents/export-image.ts';
export { digestFiles, type FileContent, fileContents } from './contents/file-contents.ts';
export { type FileDifference, fileDifferences, isSameAttributes } from './contents/file-differences.ts';
export { createTreeBuilder, readImageTree, type TreeBuilder } from './contents/image-tree.ts';
export { type ImageContents, openImageContents } from './contents/lookup/image-contents.ts';
export { bytesOfText, cleanPath, compareNames, entryLinkname, textOfBytes } from './contents/names.ts';
export { type PlannedEntry, planLayer } from './contents/plan-layer.ts';
export { findNode } from './contents/resolve.ts';
export { createRoot, type Inode, pathOf, type TreeNode } from './contents/tree.ts';
export { sortedChildren, walkTree } from './contents/walk.ts';
export type * from './descriptor.ts';
export { abortable } from './digest/abortable.ts';
export * from './digest/digest.ts';
export * from './digest/hasher.ts';
export * from './digest/verify.ts';
export { directorySink } from './directory-transport/directory-sink.ts';
export { openDirectory } from './directory-transport/open-directory.ts';
export {
  type ConfigChanges,
  type MapChanges,
  withAnnotations,
  withConfig,
} from './edit/config-changes.ts';
export { type DraftLayer, draftOf, type ImageDraft } from './edit/draft.ts';
export { alignedHistory, type EditRecord, editTime, layerPlaces, withHistory } from './edit/history.ts';
export { type EditIndexOptions, editIndex } from './edit/index-edit.ts';
export { type LayerRange, withLayer, withLayersReplaced } from './edit/layers.ts';
export {
  baseAnnotations,
  type RebaseConflict,
  type RebaseOptions,
  rebaseConflicts,
  rebaseImage,
} from './edit/rebase.ts';
export { flattenImage, type SquashOptions, squashLayers } from './edit/squash.ts';
export { type EditDestination, type WriteDraftOptions, writeDraft } from './edit/write-draft.ts';
export * from './errors.ts';
export type * from './events.ts';
export { encodeJson } from './json/encode.ts';
export { type ParseJsonOptions, parseJson } from './json/parse.ts';
export { type LayerFormat, layerFormats, layerMediaType } from './layer/format.ts';
export { type ImportLayerOptions, importLayer } from './layer/import-layer.ts';
export type { LayerStore } from './layer/store-stream.ts';
export { type LayerContent, type WriteLayerOptions, writeLayer } from './layer/write-layer.ts';
export * from './limits.ts';
export { chainIds } from './manifest/chain-ids.ts';
export { parseImageConfig } from './manifest/config.ts';
export { parseDescriptor } from './manifest/descriptor.ts';
export * from './manifest/manifest.ts';
export type * from './manifest/types.ts';
export * from './media-types.ts';
export { hostPlatform } from './platform/host.ts';
export { isSamePlatform, matchesPlatform } from './platform/match.ts';
export { normalizePlatform } from './platform/normalize.ts';
export { formatPlatform, parsePlatform } from './platform/parse.ts';
export { selectPlatform } from './platform/select.ts';
export type * from './platform.ts';
export * from './reference/reference.ts';
export type * from './source.ts';
export { type CheckStoreOptions, checkStore, type StoreReport } from './store/check/check-store.ts';
export type * from './store/check/problem.ts';
export type * from './store/content-store.ts';
export { defaultStoreDirectory } from './store/directory.ts';
export {
  type CollectGarbageOptions,
  collectGarbage,
  DEFAULT_GRACE_MS,
  type GarbageReport,
  type RemovedLeftover,
} from './store/garbage/collect-garbage.ts';
export type { GarbageRoot } from './store/garbage/mark.ts';
export { type RemoveBlobOptions, removeBlob } from './store/garbage/remove-blob.ts';
export type { BlobVerdict } from './store/garbage/survey.ts';
export { accelerateHashing, type HashModule, type Sha256Lanes } from './store/ingest/hash-module.ts';
export { imageDigests } from './store/lease/image-digests.ts';
export type { Lease, LeaseOptions } from './store/lease/lease.ts';
export { type LoadImageOptions, loadImage, type ReadableContent } from './store/load-image.ts';
export { createMemoryStore } from './store/memory-store.ts';
export { findImages } from './store/naming/find-images.ts';
export { type RemovedImage, type RemoveImageOptions, removeImage } from './store/naming/remove-image.ts';
export { tagImage } from './store/naming/tag-image.ts';
export { createLayout, type OpenStoreOptions, openLayout, openStore } from './store/open.ts';
export { openScratchFile } from './store/scratch-file.ts';
export { type EntrySelector, selectEntry } from './store/select-entry.ts';
export type * from './store/store.ts';
export type * from './tar/entry.ts';
export { type EntryRecord, entryOfRecord, recordOfEntry } from './tar/entry-record.ts';
export * from './tar/limits.ts';
export { createTarParser, type TarHandler, type TarParser } from './tar/parser.ts';
export { type ReadTarOptions, readTar, type TarReadEntry } from './tar/reader.ts';
export { expandSparse } from './tar/sparse-expand.ts';
export { type TarWriteEntry, type WriteTarOptions, writeTar } from './tar/write-tar.ts';
export { createTarWriter, type TarBody, type TarWriter } from './tar/writer.ts';
export type { TarWriterEntry } from './tar/writer-entry.ts';
export { formatTime, parseTime } from './time.ts';
export type { ImageCollection } from './transport/collection.ts';
export { fullName, namesOf } from './transport/names.ts';
export { findReferrers, type ReferrerPlace, type Referrers } from './transport/referrers.ts';
export { type ImageSelector, selectImage } from './transport/select-image.ts';
export type { ImageSink } from './transport/sink.ts';
export { type Spool, type SpoolOptions, spool } from './transport/spool.ts';
export { storeSink } from './transport/store-sink.ts';
export { type ValidateImageOptions, validateImage } from './validate/validate-image.ts';
export { type ValidateTreeOptions, validateTree } from './validate/validate-tree.ts';
export type { Violation } from './validate/violation.ts';

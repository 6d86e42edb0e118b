export { type ProvenanceOptions, provenanceStatement } from './attestation/provenance.ts';
export { createStatement, type Statement, type StatementOptions } from './attestation/statement.ts';
export { statementType, writeAttestation } from './attestation/write-attestation.ts';
export { type CopyOptions, from, type ImageBuilder } from './builder/builder.ts';
export type { ConfigOptions, CopyFileOptions, RunMount, RunOptions } from './builder/instructions.ts';
export { CACHE_CONFIG_TYPE, type CacheConfig, readInlineCache } from './cache/cache-config.ts';
export { type CacheExport, mergeCaches, writeCacheManifest } from './cache/export-cache.ts';
export type { CacheSource } from './cache/imported-caches.ts';
export type { CacheFormat } from './cache/step-layers.ts';
export { type BuildContext, type OpenContextOptions, openContext } from './context/context.ts';
export { type ExtractOptions, extractArchive } from './context/extract-archive.ts';
export {
  openRemoteContext,
  type RemoteContext,
  type RemoteContextOptions,
  readContextDockerfile,
} from './context/remote-context.ts';
export * from './dockerfile/index.ts';
export * from './errors.ts';
export { build } from './executor/build.ts';
export type * from './executor/types.ts';
export { type GitReference, parseGitReference } from './git/git-reference.ts';
export { createIgnoreRules, type IgnoreRules, parseIgnoreFile } from './ignore/ignore.ts';
export * from './limits.ts';
export { type LintReport, lint } from './lint/lint.ts';
export type { CheckContext, CheckName, Finding } from './lint/types.ts';
export { type BuildNodeOptions, buildNode } from './node/build-node.ts';
export { type SbomOptions, sbomStatement } from './sbom/sbom.ts';
export { formatLock, parseLock, updateLock } from './sources/lock-file.ts';
export type { BuildSource } from './sources/source-record.ts';

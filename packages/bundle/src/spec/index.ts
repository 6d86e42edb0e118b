export { harmlessLabels } from './annotations.ts';
export { dockerCapabilities, linuxCapabilities } from './capabilities.ts';
export {
  type DefaultSpecOptions,
  defaultMaskedPaths,
  defaultMounts,
  defaultPath,
  defaultReadonlyPaths,
  defaultSpec,
} from './defaults.ts';
export { mergeEnvironment } from './environment.ts';
export { type SpecFromImageOptions, specFromImage } from './from-image.ts';
export { configSizeLimit } from './limits.ts';
export { encodeOwnerNote, type OwnerNote, ownerNoteName, parseOwnerNote } from './owner-note.ts';
export { parseSpec, requireValidSpec } from './parse.ts';
export { nestedSpec, type RootlessOptions, singleIdMappings } from './rootless.ts';
export type * from './types.ts';
export { lookupUser, type RootReader } from './user/lookup.ts';
export { readFileInRoot } from './user/read-in-root.ts';
export { type ResolvedUser, resolveUser, type UserDatabases } from './user/resolve.ts';
export type { SpecViolation } from './validate/checks.ts';
export { validateSpec } from './validate/validate.ts';

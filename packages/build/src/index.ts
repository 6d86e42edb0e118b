export { type BuildContext, type OpenContextOptions, openContext } from './context/context.ts';
export * from './dockerfile/index.ts';
export * from './errors.ts';
export { build } from './executor/build.ts';
export type * from './executor/types.ts';
export { type GitReference, parseGitReference } from './git/git-reference.ts';
export { createIgnoreRules, type IgnoreRules, parseIgnoreFile } from './ignore/ignore.ts';
export * from './limits.ts';

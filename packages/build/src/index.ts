export * from './dockerfile/index.ts';
export * from './errors.ts';
export { type GitReference, parseGitReference } from './git/git-reference.ts';
export { createIgnoreRules, type IgnoreRules, parseIgnoreFile } from './ignore/ignore.ts';
export * from './limits.ts';

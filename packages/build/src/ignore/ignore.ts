import { posix } from 'node:path';
import { BuildError } from '../errors.ts';
import { compilePattern, type PathMatcher } from './pattern.ts';

/** Decides which files of a context take part. */
export interface IgnoreRules {
  /** The path, relative to the context, or one of its parents is ignored, and no later `!pattern` takes it back. */
  ignores(path: string): boolean;
  /** There are patterns with `!`: an ignored directory may hold files that are not. */
  readonly hasExceptions: boolean;
}

interface Rule {
  readonly exception: boolean;
  readonly matches: PathMatcher;
}

/**
 * Compiles patterns, as `.dockerignore` and `--exclude` have them. The last one that matches decides.
 *
 * @throws BuildError `ERR_OCI_IGNORE_PATTERN_INVALID`
 */
export function createIgnoreRules(patterns: readonly string[]): IgnoreRules {
  const rules = patterns
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== '')
    .map(compileRule);
  const ignores = (path: string): boolean => {
    const parents = parentsOf(path);
    let ignored = false;
    for (const { exception, matches } of rules) {
      if (exception !== ignored) continue;
      if (matches(path) || parents.some(matches)) ignored = !exception;
    }
    return ignored;
  };
  return { ignores, hasExceptions: rules.some(({ exception }) => exception) };
}

function compileRule(pattern: string): Rule {
  const exception = pattern.startsWith('!');
  const body = exception ? pattern.slice(1) : pattern;
  if (body === '')
    throw new BuildError('ERR_OCI_IGNORE_PATTERN_INVALID', 'a pattern of ! alone excepts nothing', {
      hint: 'write !path to take back what an earlier pattern ignores',
    });
  return { exception, matches: compilePattern(clean(body)) };
}

/** The parents of `a/b/c` are `a` and `a/b`; a slash at the end makes the path its own parent. */
function parentsOf(path: string): readonly string[] {
  const names = path.split('/');
  return names.slice(1).map((_, index) => names.slice(0, index + 1).join('/'));
}

/**
 * The patterns of an ignore file: one a line, `#` at the very start makes a comment, a slash at the start means nothing.
 *
 * @see https://docs.docker.com/build/concepts/context/#dockerignore-files
 */
export function parseIgnoreFile(text: string): readonly string[] {
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  return lines
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const exception = line.startsWith('!');
      const body = exception ? line.slice(1).trim() : line;
      const path = body === '' ? '' : clean(body);
      return `${exception ? '!' : ''}${path.length > 1 && path.startsWith('/') ? path.slice(1) : path}`;
    });
}

/** Without `.`, `..` and double slashes, as far as they can be resolved, and without a slash at the end. */
function clean(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

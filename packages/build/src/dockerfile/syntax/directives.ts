import type { EscapeCharacter } from '../words/expand.ts';
import { dockerfileError } from './error.ts';

/** What the comments at the very top of a Dockerfile say to the parser. */
export interface Directives {
  readonly escape: EscapeCharacter;
  /** The frontend that the file asks for, such as `docker/dockerfile:1`. */
  readonly syntax?: string;
  /** Which checks are skipped and whether they fail the build, as written: `skip=JSONArgsRecommended;error=true`. */
  readonly check?: string;
  /** The line of each directive, from 1. */
  readonly lines: ReadonlyMap<string, number>;
}

const KNOWN = new Set(['syntax', 'escape', 'check']);
const directive = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/;

/**
 * Reads the parser directives: comments of the form `# key=value` before anything else, an empty line or another comment included.
 *
 * @throws BuildError `ERR_OCI_DOCKERFILE_INVALID` when one is given twice, or the escape character is not `\` or a backtick.
 */
export function parseDirectives(text: string): Directives {
  const values = new Map<string, string>();
  const lines = new Map<string, number>();
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    const [, name = '', value = ''] = directive.exec(line.trim()) ?? [];
    const key = name.toLowerCase();
    if (!KNOWN.has(key)) break;
    if (values.has(key))
      throw dockerfileError(`the parser directive ${key} is given twice`, {
        position: { line: index + 1, column: 1 },
        sourceLine: line,
      });
    values.set(key, value);
    lines.set(key, index + 1);
  }
  const escapeCharacter = values.get('escape') ?? '\\';
  if (escapeCharacter !== '\\' && escapeCharacter !== '`')
    throw dockerfileError(`the escape character may be \\ or a backtick, not ${escapeCharacter}`, {
      position: { line: lines.get('escape') ?? 1, column: 1 },
    });
  const syntax = values.get('syntax')?.split(/\s/, 1)[0];
  const check = values.get('check');
  return {
    escape: escapeCharacter,
    ...(syntax === undefined ? {} : { syntax }),
    ...(check === undefined ? {} : { check }),
    lines,
  };
}

/**
 * The frontend that a file of any language asks for: in its first comments, written with `#` or `//`, after a `#!` line at
 * most, or as member `syntax` of a JSON document.
 */
export function detectSyntax(text: string): string | undefined {
  const body = text.replace(/^\uFEFF/, '').replace(/^#!.*(?:\n|$)/, '');
  const hash = parseLeading(body, /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/);
  const slashes = parseLeading(body, /^\/\/\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/);
  const value = hash ?? slashes ?? syntaxOfJson(text);
  return value?.split(/\s/, 1)[0];
}

function parseLeading(text: string, pattern: RegExp): string | undefined {
  for (const line of text.split('\n')) {
    const match = pattern.exec(line.trim());
    if (match === null) return undefined;
    if (match[1]?.toLowerCase() === 'syntax') return match[2];
  }
  return undefined;
}

function syntaxOfJson(text: string): string | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const { syntax } = JSON.parse(text) as { syntax?: unknown };
    return typeof syntax === 'string' ? syntax : undefined;
  } catch {
    // No JSON after all: then it names no frontend.
    return undefined;
  }
}

import { JSON_DEPTH_LIMIT } from '../limits.ts';

/** What JSON.parse would let pass and this toolchain does not. */
export interface JsonFault {
  readonly reason: string;
  /** Where in the document, such as `$.layers[0].digest`. */
  readonly jsonPath: string;
  readonly limit?: number;
}

interface Level {
  /** The names seen so far; undefined in an array. */
  readonly names: Set<string> | undefined;
  /** The name or the index that the scan is at; undefined before an object's first name. */
  at: string | number | undefined;
}

const quote = 0x22;
const backslash = 0x5c;
const simpleName = /^[A-Za-z_][A-Za-z0-9_]*$/;

const longestName = 100;

/** Appends one step to a JSON path: a name that is not a plain word in brackets, a long one cut. */
export function jsonPathStep(parent: string, step: string | number): string {
  if (typeof step === 'number') return `${parent}[${step}]`;
  const name = step.length > longestName ? `${step.slice(0, longestName)}…` : step;
  return simpleName.test(name) ? `${parent}.${name}` : `${parent}[${JSON.stringify(name)}]`;
}

function pathOf(levels: readonly Level[]): string {
  let path = '$';
  for (const { at } of levels) if (at !== undefined) path = jsonPathStep(path, at);
  return path;
}

/** The index after the string that opens at `start`, or the end of the text when it never closes. */
function stringEnd(text: string, start: number): number {
  let index = start + 1;
  while (index < text.length) {
    const code = text.charCodeAt(index);
    if (code === quote) return index + 1;
    index += code === backslash ? 2 : 1;
  }
  return text.length;
}

/** The value of a string literal, or undefined when it is malformed: JSON.parse reports that better. */
function stringValue(literal: string): string | undefined {
  if (!literal.includes('\\')) return literal.slice(1, -1);
  try {
    return JSON.parse(literal) as string;
  } catch {
    return undefined;
  }
}

function readString(levels: readonly Level[], literal: string, isName: boolean): JsonFault | undefined {
  const value = stringValue(literal);
  if (value === undefined) return undefined;
  if (!value.isWellFormed())
    return { reason: 'an escaped half of a surrogate pair', jsonPath: pathOf(levels) };
  const level = levels.at(-1);
  if (!isName || level?.names === undefined) return undefined;
  level.at = value;
  if (level.names.has(value)) return { reason: 'a name that occurs twice', jsonPath: pathOf(levels) };
  level.names.add(value);
  return undefined;
}

/**
 * Looks through JSON text, in linear time, for what different parsers read differently: a name twice in one object,
 * half a surrogate pair, too deep nesting. Syntax is not checked here.
 */
export function scanJson(text: string): JsonFault | undefined {
  const levels: Level[] = [];
  let expectName = false;
  for (let index = 0; index < text.length; ) {
    const character = text[index];
    const level = levels.at(-1);
    if (character === '"') {
      const end = stringEnd(text, index);
      const fault = readString(levels, text.slice(index, end), expectName);
      if (fault !== undefined) return fault;
      index = end;
      continue;
    }
    if (character === '{' || character === '[') {
      if (levels.length === JSON_DEPTH_LIMIT)
        return { reason: 'too deep nesting', jsonPath: pathOf(levels), limit: JSON_DEPTH_LIMIT };
      expectName = character === '{';
      levels.push(expectName ? { names: new Set(), at: undefined } : { names: undefined, at: 0 });
    } else if (character === '}' || character === ']') {
      levels.pop();
      expectName = false;
    } else if (character === ':') {
      expectName = false;
    } else if (character === ',' && level !== undefined) {
      expectName = level.names !== undefined;
      if (typeof level.at === 'number') level.at += 1;
    }
    index += 1;
  }
  return undefined;
}

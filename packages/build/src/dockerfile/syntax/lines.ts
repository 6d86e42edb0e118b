import type { Position } from './position.ts';

/** Reads a file line by line and knows where it is. */
export interface LineReader {
  /** The next line without its end, or `undefined` when there is none. */
  next(): string | undefined;
  /** The number of the line that `next` gave last, from 1. */
  number(): number;
  /** Any line that was read already or is to come. */
  line(number: number): string | undefined;
}

export function createLineReader(text: string): LineReader {
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  if (lines.at(-1) === '') lines.pop();
  let index = 0;
  return {
    next: () => lines[index++]?.replace(/\r$/, ''),
    number: () => Math.min(index, lines.length),
    line: (number) => lines[number - 1]?.replace(/\r$/, ''),
  };
}

/** An instruction with its continuation lines joined, and the way back to where each character stands. */
export interface LogicalLine {
  readonly text: string;
  readonly startLine: number;
  readonly endLine: number;
  /** A line of white space stood between the continued ones. */
  readonly emptyContinuation: boolean;
  positionAt(offset: number): Position;
}

interface Piece {
  /** Where the piece starts in the joined text. */
  readonly offset: number;
  readonly position: Position;
}

/**
 * Joins the lines that `first` starts, where each but the last ends with the escape character; comments and empty lines
 * between them do not count. `undefined` for a line that is nothing at all.
 */
export function joinLines(
  reader: LineReader,
  first: string,
  escapeCharacter: string,
): LogicalLine | undefined {
  const startLine = reader.number();
  const pieces: Piece[] = [];
  let text = '';
  let emptyContinuation = false;
  const append = (line: string, leading: number): boolean => {
    const { content, continues } = withoutContinuation(line.slice(leading), escapeCharacter);
    pieces.push({ offset: text.length, position: { line: reader.number(), column: leading + 1 } });
    text += content;
    return continues;
  };
  let continues = append(first, first.length - first.trimStart().length);
  if (text === '' && !continues) return undefined;
  while (continues) {
    const line = reader.next();
    if (line === undefined) break;
    if (isComment(line)) continue;
    if (line.trim() === '') emptyContinuation = true;
    else continues = append(line, 0);
  }
  const positionAt = (offset: number): Position => {
    const piece = pieces.findLast((candidate) => candidate.offset <= offset) ?? pieces[0];
    const { line, column } = piece?.position ?? { line: startLine, column: 1 };
    return { line, column: column + offset - (piece?.offset ?? 0) };
  };
  return { text, startLine, endLine: reader.number(), emptyContinuation, positionAt };
}

export function isComment(line: string): boolean {
  return line.trimStart().startsWith('#');
}

/** A single escape character at the end continues a line; two of them are one that was escaped. */
function withoutContinuation(
  line: string,
  escapeCharacter: string,
): { readonly content: string; readonly continues: boolean } {
  const end = line.replace(/[ \t]+$/, '');
  const continues = end.endsWith(escapeCharacter) && !end.endsWith(escapeCharacter.repeat(2));
  return { content: continues ? end.slice(0, -1) : line, continues };
}

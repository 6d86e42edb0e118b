import { MAX_DOCKERFILE_BYTES } from '../../limits.ts';
import { ArgumentError } from './arguments.ts';
import { type Directives, parseDirectives } from './directives.ts';
import { dockerfileError } from './error.ts';
import { takeFlags } from './flags.ts';
import { argumentParsers, takesHeredocs } from './grammar.ts';
import { type Heredoc, type HeredocStart, heredocsOf } from './heredoc.ts';
import { createLineReader, isComment, joinLines, type LineReader, type LogicalLine } from './lines.ts';
import type { LineRange, Position } from './position.ts';

/** One instruction as it is written: nothing is expanded, and unknown instructions are here too, without arguments. */
export interface InstructionNode extends LineRange {
  /** In capitals. */
  readonly name: string;
  /** As it is written in the file. */
  readonly keyword: string;
  /** The whole logical line, without the heredocs. */
  readonly text: string;
  /** Each with its dashes, without quotes: `--chown=a:b`. */
  readonly flags: readonly string[];
  readonly values: readonly string[];
  /** The arguments are a JSON array. */
  readonly json: boolean;
  /** The instruction that `ONBUILD` keeps. */
  readonly trigger?: InstructionNode;
  readonly heredocs: readonly Heredoc[];
  /** The comments before it, without the `#`, back to the last instruction or empty comment. */
  readonly comments: readonly Comment[];
  /** An empty line stood between continued lines. */
  readonly emptyContinuation: boolean;
  /** Where an offset of {@link text} stands in the file. */
  positionAt(offset: number): Position;
}

export interface Comment {
  readonly text: string;
  readonly line: number;
}

/** A Dockerfile, as far as its grammar goes. */
export interface DockerfileSyntax {
  readonly directives: Directives;
  readonly instructions: readonly InstructionNode[];
  /** A line of the file, from 1, for messages. */
  line(number: number): string | undefined;
}

/**
 * Splits a Dockerfile into instructions, as BuildKit's parser does.
 *
 * @throws BuildError `ERR_OCI_DOCKERFILE_INVALID`, with line and column, for anything the grammar does not allow.
 */
export function parseSyntax(text: string): DockerfileSyntax {
  if (Buffer.byteLength(text) > MAX_DOCKERFILE_BYTES)
    throw dockerfileError(`a Dockerfile may have ${MAX_DOCKERFILE_BYTES} bytes`, {
      position: { line: 1, column: 1 },
    });
  const directives = parseDirectives(text);
  const directiveLines = new Set(directives.lines.values());
  const reader = createLineReader(text);
  const instructions: InstructionNode[] = [];
  let comments: Comment[] = [];
  for (let line = reader.next(); line !== undefined; line = reader.next()) {
    if (isComment(line)) {
      const text = line.trim().slice(1).trim();
      comments =
        text === '' || directiveLines.has(reader.number())
          ? []
          : [...comments, { text, line: reader.number() }];
      continue;
    }
    const logical = joinLines(reader, line, directives.escape);
    if (logical === undefined) continue;
    instructions.push(parseInstruction(logical, { directives, reader, comments }));
    comments = [];
  }
  if (instructions.length === 0)
    throw dockerfileError('the file has no instruction', {
      position: { line: 1, column: 1 },
      hint: 'a Dockerfile starts with FROM',
    });
  return { directives, instructions, line: reader.line };
}

interface Surroundings {
  readonly directives: Directives;
  readonly reader: LineReader;
  readonly comments: readonly Comment[];
}

function parseInstruction(logical: LogicalLine, surroundings: Surroundings): InstructionNode {
  const { reader } = surroundings;
  const node = parseText(logical, { ...surroundings, start: 0 });
  const kind = node.trigger ?? node;
  const starts = takesHeredocs.has(kind.name) && !kind.json ? heredocsOf(logical.text) : [];
  if (starts.length === 0) return node;
  const heredocs = starts.map((start) => readHeredoc(reader, start, logical));
  return { ...node, heredocs, endLine: reader.number() };
}

function parseText(
  logical: LogicalLine,
  surroundings: Surroundings & { readonly start: number },
): InstructionNode {
  const { directives, reader, comments, start } = surroundings;
  const { text, positionAt, startLine, endLine, emptyContinuation } = logical;
  const body = text.slice(start).trimEnd();
  const [, space = '', keyword = ''] = /^(\s*)(\S*)/.exec(body) ?? [];
  const name = keyword.toUpperCase();
  const argumentsStart = space.length + keyword.length;
  const { flags, end } = takeFlags(body.slice(argumentsStart), directives.escape);
  const rest = body.slice(argumentsStart + end);
  const shared = { name, keyword, text, flags, startLine, endLine, emptyContinuation, comments };
  const own = { ...shared, heredocs: [], positionAt };
  if (name === 'ONBUILD' && rest !== '') {
    const trigger = parseText(logical, { ...surroundings, start: start + argumentsStart + end });
    return { ...own, values: [], json: false, trigger };
  }
  try {
    const { values, json } = argumentParsers[name]?.(rest, directives.escape) ?? { values: [], json: false };
    return { ...own, values, json };
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    const position = positionAt(start + argumentsStart + end);
    throw dockerfileError(`${name} ${error.message}`, { position, sourceLine: reader.line(position.line) });
  }
}

function readHeredoc(reader: LineReader, start: HeredocStart, logical: LogicalLine): Heredoc {
  let content = '';
  for (let line = reader.next(); line !== undefined; line = reader.next()) {
    const body = start.stripTabs ? line.replace(/^\t+/, '') : line;
    if (body === start.name) return { ...start, content };
    content += `${body}\n`;
  }
  const offset = Math.max(logical.text.indexOf('<<'), 0);
  const position = logical.positionAt(offset);
  throw dockerfileError(`the heredoc ${start.name} has no end`, {
    position,
    sourceLine: reader.line(position.line),
    hint: `a line with ${start.name} alone ends it`,
  });
}

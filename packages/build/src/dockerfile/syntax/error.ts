import { BuildError } from '../../errors.ts';
import type { Position } from './position.ts';

export interface DockerfileProblem {
  readonly position: Position;
  /** The line of the position, as it stands in the file. */
  readonly sourceLine?: string | undefined;
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/**
 * What is wrong with a Dockerfile, with its place in front and the line below:
 *
 *     Dockerfile:3:6: COPY needs at least two arguments
 *       3 | COPY a
 *         |      ^
 */
export function dockerfileError(message: string, problem: DockerfileProblem): BuildError {
  const { position, sourceLine, hint, cause } = problem;
  const place = `line ${position.line}, column ${position.column}`;
  return new BuildError(
    'ERR_OCI_DOCKERFILE_INVALID',
    `${place}: ${message}${excerpt(position, sourceLine)}`,
    {
      line: position.line,
      column: position.column,
      ...(hint === undefined ? {} : { hint }),
      ...(cause === undefined ? {} : { cause }),
    },
  );
}

const MAX_EXCERPT = 160;

function excerpt({ line, column }: Position, sourceLine: string | undefined): string {
  if (sourceLine === undefined || sourceLine.length > MAX_EXCERPT) return '';
  const number = String(line);
  // Tabs stay tabs in the line of the mark, so that it stands below its character on any terminal.
  const before = sourceLine.slice(0, column - 1).replace(/[^\t]/g, ' ');
  return `\n  ${number} | ${sourceLine}\n  ${' '.repeat(number.length)} | ${before}^`;
}

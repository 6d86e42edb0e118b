import { refuse } from './instructions/context.ts';
import { readInstruction } from './instructions/read.ts';
import type { ArgInstruction, FromInstruction, StageInstruction } from './instructions/types.ts';
import { type DockerfileSyntax, parseSyntax } from './syntax/parse.ts';

/** A `FROM` and what follows it. */
export interface Stage {
  readonly index: number;
  readonly from: FromInstruction;
  readonly instructions: readonly StageInstruction[];
}

/** A Dockerfile with meaning; variables stay as they are written. */
export interface Dockerfile {
  readonly syntax: DockerfileSyntax;
  /** The arguments before the first stage; `FROM` sees these alone. */
  readonly globalArguments: readonly ArgInstruction[];
  readonly stages: readonly [Stage, ...Stage[]];
}

/**
 * Parses a Dockerfile.
 *
 * @throws BuildError `ERR_OCI_DOCKERFILE_INVALID`, with line, column and the line itself, for the first mistake.
 */
export function parseDockerfile(text: string): Dockerfile {
  const syntax = parseSyntax(text);
  const globalArguments: ArgInstruction[] = [];
  const stages: { index: number; from: FromInstruction; instructions: StageInstruction[] }[] = [];
  for (const node of syntax.instructions) {
    const context = { node, line: syntax.line };
    const instruction = readInstruction(context);
    const stage = stages.at(-1);
    if (instruction.kind === 'from')
      stages.push({ index: stages.length, from: instruction, instructions: [] });
    else if (stage !== undefined) stage.instructions.push(instruction);
    else if (instruction.kind === 'arg') globalArguments.push(instruction);
    else refuse(context, `${node.name} stands before the first FROM`, { hint: 'only ARG may stand there' });
  }
  const [first, ...rest] = stages;
  if (first === undefined) {
    const [node] = syntax.instructions;
    if (node === undefined) throw new TypeError('a parsed file has instructions');
    return refuse({ node, line: syntax.line }, 'there is no FROM', {
      hint: 'a build starts with FROM image',
    });
  }
  return { syntax, globalArguments, stages: [first, ...rest] };
}

import { dockerfileError } from '../syntax/error.ts';
import type { DockerfileSyntax, InstructionNode } from '../syntax/parse.ts';

/** What reads one instruction needs beside it. */
export interface InstructionContext {
  readonly node: InstructionNode;
  readonly line: DockerfileSyntax['line'];
}

/** Throws `ERR_OCI_DOCKERFILE_INVALID` at `token`, or at the instruction when the token is not found in it. */
export function refuse(
  { node, line }: InstructionContext,
  message: string,
  options: { readonly token?: string | undefined; readonly hint?: string | undefined } = {},
): never {
  const found = options.token === undefined ? -1 : node.text.indexOf(options.token);
  const position = node.positionAt(Math.max(found, 0));
  throw dockerfileError(message, { position, sourceLine: line(position.line), hint: options.hint });
}

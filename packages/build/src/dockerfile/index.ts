export { type Dockerfile, parseDockerfile, type Stage } from './dockerfile.ts';
export type * from './instructions/types.ts';
export { type Directives, detectSyntax } from './syntax/directives.ts';
export type { Heredoc } from './syntax/heredoc.ts';
export {
  type Comment,
  type DockerfileSyntax,
  type InstructionNode,
  parseSyntax,
} from './syntax/parse.ts';
export type * from './syntax/position.ts';
export { WordError } from './words/error.ts';
export { type EscapeCharacter, type ExpandOptions, type Expansion, expandWord } from './words/expand.ts';

export { type Dockerfile, parseDockerfile, type Stage } from './dockerfile.ts';
export { type ExpandInstructionOptions, expandInstruction } from './evaluate/expand-instruction.ts';
export { PROXY_ARGUMENTS, platformArguments } from './evaluate/platform-arguments.ts';
export * from './evaluate/scope.ts';
export {
  type BuildPlan,
  type PlannedStage,
  type PlanOptions,
  planBuild,
  type StageSource,
} from './graph/plan.ts';
export type * from './instructions/types.ts';
export * from './outline.ts';
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

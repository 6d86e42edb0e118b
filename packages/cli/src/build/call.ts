import type { IgnoreRules, LintReport, Outline, TargetDescription } from '@ocijs/build';
import { printable } from '../render/text.ts';

/** What `--call` may ask for instead of a build. */
export const calls = ['check', 'outline', 'targets'] as const;

export type Call = (typeof calls)[number];

/** An answer, as a document and as text for people. */
export interface CallResult {
  readonly json: unknown;
  readonly text: string;
  /** The check found something that is to fail. */
  readonly failed: boolean;
}

export interface CallOptions {
  readonly dockerfile: string;
  readonly ignore: IgnoreRules;
  readonly given: ReadonlyMap<string, string>;
  readonly target: string | undefined;
}

/** Answers a question about a Dockerfile without building it. */
export async function callBuild(call: Call, options: CallOptions): Promise<CallResult> {
  const { describeTargets, lint, outline, parseDockerfile, planBuild } = await import('@ocijs/build');
  const dockerfile = parseDockerfile(options.dockerfile);
  if (call === 'check') return checkResult(lint({ ...options, dockerfile }));
  if (call === 'targets') return targetsResult(describeTargets(dockerfile));
  const { hostPlatform } = await import('@ocijs/image');
  const plan = planBuild(dockerfile, {
    target: options.target,
    given: options.given,
    targetPlatform: hostPlatform(),
    buildPlatform: hostPlatform(),
  });
  const { from, index } = plan.target.stage;
  const stages = plan.stages.map(({ stage }) => stage);
  return outlineResult(outline(dockerfile, { target: from.stageName ?? String(index), stages }));
}

function checkResult({ findings }: LintReport): CallResult {
  const lines = findings.map(({ line, check, message }) => `${line}: ${check}: ${printable(message)}`);
  return {
    json: { findings },
    text: lines.length === 0 ? 'nothing found' : lines.join('\n'),
    failed: findings.length > 0,
  };
}

function targetsResult(targets: readonly TargetDescription[]): CallResult {
  const lines = targets.map(({ name, isDefault, description = '' }) =>
    `${name}${isDefault ? ' (default)' : ''}  ${printable(description)}`.trim(),
  );
  return { json: { targets }, text: lines.join('\n'), failed: false };
}

function outlineResult(found: Outline): CallResult {
  const lines = [
    `target ${found.target}`,
    ...found.arguments.map(
      ({ name, value, description = '' }) =>
        `argument ${name}${value === undefined ? '' : `=${printable(value)}`}  ${printable(description)}`,
    ),
    ...found.secrets.map(({ id, required }) => `secret ${id}${required ? ' (required)' : ''}`),
    ...found.agents.map(({ id, required }) => `ssh ${id}${required ? ' (required)' : ''}`),
  ];
  return { json: found, text: lines.map((line) => line.trimEnd()).join('\n'), failed: false };
}

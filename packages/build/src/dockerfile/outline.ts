import type { Dockerfile, Stage } from './dockerfile.ts';
import type { ArgInstruction } from './instructions/types.ts';
import type { InstructionNode } from './syntax/parse.ts';

/** A stage that can be built. */
export interface TargetDescription {
  readonly name: string;
  readonly base: string;
  /** From the comment above it. */
  readonly description?: string;
  /** It is built when no other is named. */
  readonly isDefault: boolean;
}

/** An argument that a build takes. */
export interface ArgumentDescription {
  readonly name: string;
  /** As it is written. */
  readonly value?: string;
  readonly description?: string;
}

/** What a build can be given. */
export interface Outline {
  readonly target: string;
  readonly arguments: readonly ArgumentDescription[];
  readonly secrets: readonly { readonly id: string; readonly required: boolean }[];
  readonly agents: readonly { readonly id: string; readonly required: boolean }[];
}

/** The stages that have names, and the last one. */
export function describeTargets({ stages }: Dockerfile): readonly TargetDescription[] {
  return stages
    .filter((stage, index) => stage.from.stageName !== undefined || index === stages.length - 1)
    .map((stage) => {
      const { from } = stage;
      const name = from.stageName ?? String(stage.index);
      const description = descriptionOf(from.node, name);
      return {
        name,
        base: from.base,
        isDefault: stage.index === stages.length - 1,
        ...(description === undefined ? {} : { description }),
      };
    });
}

/** What the given stages ask for; give all that the target needs. */
export function outline(
  { globalArguments }: Dockerfile,
  { target, stages }: { readonly target: string; readonly stages: readonly Stage[] },
): Outline {
  const instructions = stages.flatMap((stage) => stage.instructions);
  const declared = [...globalArguments, ...instructions.filter((instruction) => instruction.kind === 'arg')];
  const mounts = instructions.flatMap((instruction) =>
    instruction.kind === 'run' ? instruction.mounts : [],
  );
  const wanted = (type: 'secret' | 'ssh') => {
    const found = new Map<string, boolean>();
    for (const mount of mounts) {
      if (mount.type !== type) continue;
      const id = mount.id ?? (type === 'ssh' ? 'default' : (mount.target?.split('/').at(-1) ?? ''));
      found.set(id, mount.required || (found.get(id) ?? false));
    }
    return [...found].map(([id, required]) => ({ id, required }));
  };
  return { target, arguments: argumentsOf(declared), secrets: wanted('secret'), agents: wanted('ssh') };
}

/** Each name once, as the first declaration with a value has it. */
function argumentsOf(declared: readonly ArgInstruction[]): readonly ArgumentDescription[] {
  const found = new Map<string, ArgumentDescription>();
  for (const { declarations, node } of declared)
    for (const { name, value } of declarations) {
      const known = found.get(name);
      if (known?.value !== undefined) continue;
      const description = known?.description ?? descriptionOf(node, name);
      found.set(name, {
        name,
        ...(value === undefined ? {} : { value }),
        ...(description === undefined ? {} : { description }),
      });
    }
  return [...found.values()];
}

/** The comment `# name what it is` right above. */
function descriptionOf({ comments, startLine }: InstructionNode, name: string): string | undefined {
  if (comments.at(-1)?.line !== startLine - 1) return undefined;
  const start = comments.findIndex(({ text }) => text.toLowerCase().startsWith(`${name.toLowerCase()} `));
  if (start < 0) return undefined;
  const [first, ...rest] = comments.slice(start).map(({ text }) => text);
  return [first?.slice(name.length + 1), ...rest].join(' ');
}

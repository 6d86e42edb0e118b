import type { InstructionNode } from '../syntax/parse.ts';
import { type InstructionContext, refuse } from './context.ts';
import { readDevice } from './device.ts';
import { type Flags, readFlags } from './flags.ts';
import { readMount } from './mount.ts';
import type { Command, RunInstruction } from './types.ts';

/** Reads `RUN`. */
export function readRun(context: InstructionContext): RunInstruction {
  const { node } = context;
  const flags = readFlags(context, { mount: 'list', network: 'text', security: 'text', device: 'list' });
  if (node.values.length === 0) refuse(context, 'RUN needs a command');
  return {
    kind: 'run',
    node,
    command: command(node),
    mounts: flags.list('mount').map((value) => readMount(context, value)),
    network: choice(context, flags, { name: 'network', among: ['default', 'none', 'host'] as const }),
    security: choice(context, flags, { name: 'security', among: ['sandbox', 'insecure'] as const }),
    devices: flags.list('device').map((value) => readDevice(context, value)),
  };
}

/** A single heredoc and nothing else is a script; in any other place the shell reads heredocs itself. */
function command({ json, values, heredocs }: InstructionNode): Command {
  if (json) return { shell: false, arguments: values };
  const [first] = heredocs;
  const line = values[0] ?? '';
  if (first === undefined) return { shell: true, arguments: [line] };
  if (heredocs.length === 1 && /^\d*<<-?\s*\S+$/.test(line))
    return { shell: true, arguments: [first.content] };
  const documents = heredocs.map(({ name, content }) => `${content}${name}\n`);
  return { shell: true, arguments: [`${line}\n${documents.join('')}`] };
}

function choice<Word extends string>(
  context: InstructionContext,
  flags: Flags,
  { name, among }: { readonly name: string; readonly among: readonly [Word, ...Word[]] },
): Word {
  const text = flags.text(name);
  if (text === undefined) return among[0];
  return (
    among.find((word) => word === text) ??
    refuse(context, `--${name}=${text} is unknown`, { token: text, hint: `one of ${among.join(', ')}` })
  );
}

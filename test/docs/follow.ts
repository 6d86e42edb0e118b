import type { CommandResult } from '../kit/command.ts';
import { missing } from '../kit/requirements.ts';
import { blocksOf } from './blocks.ts';
import { after, before, prelude, shells } from './examples.ts';
import { inNetwork, networksMissing } from './network.ts';
import { readPage } from './pages.ts';
import type { Place } from './place.ts';
import { type Step, stepsOf } from './steps.ts';

/** The page that is made of the commands' help: its examples are those of `oci COMMAND --help` as well. */
export const referencePage = 'docs/cli.md';

/** Why the commands of pages cannot be followed here, or false. */
export function pagesMissing(): string | false {
  return missing({ root: true, commands: ['busybox', 'bash', 'script'] });
}

/** Why the examples of the commands cannot be followed here, or false. */
export function examplesMissing(): string | false {
  const commands = ['busybox', 'bash', 'zsh', 'fish', 'script', 'jq', 'openssl', 'podman', 'runc'];
  return missing({ root: true, commands });
}

/** Does a step in a place. */
export function follow(place: Place, step: Exclude<Step, { readonly kind: 'skip' }>): Promise<CommandResult> {
  return step.kind === 'run' ? place.run(step.text) : place.type(step.text, step.answers);
}

/** Ctrl-C is no failure of what goes on until then. */
export function hasWorked({ kind }: Step, { status }: CommandResult): boolean {
  return status === 0 || (kind === 'type' && status === 130);
}

/** The blocks behind `Examples:`, each with the command whose they are. */
export function exampleBlocks(): readonly { readonly command: string; readonly lines: readonly string[] }[] {
  const lines = readPage(referencePage).split('\n');
  return blocksOf(readPage(referencePage), 'sh').flatMap(({ line, text }) => {
    const head = lines.slice(0, line).findLast((each) => each.startsWith('## oci ')) ?? '';
    const command = head.slice('## oci '.length);
    return lines[line - 4] === 'Examples:' ? [{ command, lines: text.split('\n') }] : [];
  });
}

/** Makes what must be there before the examples of a command, or puts right what they changed. Throws when that fails. */
export async function around(place: Place, when: 'before' | 'after', command: string): Promise<void> {
  const lines = (when === 'before' ? before : after)[command] ?? '';
  if (lines === '') return;
  const { status, stdout, stderr } = await place.run(`${prelude}\n${lines}`);
  if (status !== 0) throw new Error(`${lines}\n\nended with ${status} and printed:\n${stdout}${stderr}`);
}

/** An example as a step, with what it takes on this machine. */
export function exampleStep(line: string): Step {
  const [step] = stepsOf(referencePage, line);
  if (step === undefined) throw new Error(`no command: ${line}`);
  if (step.kind === 'skip') return step;
  const isConnected = / -p \d/.test(line);
  const lack = isConnected && networksMissing();
  if (lack) return { kind: 'skip', text: line, reason: lack };
  const own = isConnected
    ? inNetwork(`OCI_NETWORK=bridge; export OCI_NETWORK; ${line}; oci rm --force web`)
    : line;
  const typed = (shells[line] ?? own).replace(/\b3f2a\w*|sha256:…/, '$id');
  if (step.kind === 'type') return { ...step, text: typed };
  // In one shell, so that the example finds the variables of what comes before it.
  return { kind: 'run', text: [prelude, before[line] ?? '', typed].join('\n') };
}

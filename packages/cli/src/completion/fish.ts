import type { Candidates, CompletableCommand, CompletableFlag } from './model.ts';

/** The completion script for fish 3 and later. */
export function fishCompletion(commands: readonly CompletableCommand[]): string {
  const names = commands.map(({ name }) => name).join(' ');
  return `# oci completion for fish: oci completion fish | source
set -l commands ${names}
complete -c oci -f
${commands
  .map(
    ({ name, summary }) =>
      `complete -c oci -n "not __fish_seen_subcommand_from $commands" -a ${name} -d ${quote(summary)}`,
  )
  .join('\n')}
${commands.flatMap(commandLines).join('\n')}
`;
}

function commandLines({ name, flags, operands }: CompletableCommand): readonly string[] {
  const scope = `complete -c oci -n "__fish_seen_subcommand_from ${name}"`;
  const kinds = [...new Set(operands.flatMap(candidateWords))];
  return [
    ...flags.map((flag) => `${scope} ${flagWords(flag)}`),
    ...kinds.map((words) => `${scope} ${words}`),
  ];
}

function flagWords({ names, summary, value }: CompletableFlag): string {
  const forms = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  const takes = value === undefined ? [] : ['-r', ...candidateWords(value)];
  return [...forms, ...takes, `-d ${quote(summary)}`].join(' ');
}

function candidateWords(candidates: Candidates): readonly string[] {
  if (typeof candidates !== 'string') return [`-a ${quote(candidates.join(' '))}`];
  if (candidates === 'files') return ['-F'];
  if (candidates === 'directories') return ["-a '(__fish_complete_directories (commandline -ct))'"];
  return candidates === 'nothing' ? [] : [`-a '(command oci completion --list ${candidates} 2>/dev/null)'`];
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

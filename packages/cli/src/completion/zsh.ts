import type { Candidates, CompletableCommand, CompletableFlag } from './model.ts';

/** The completion script for zsh: a function for \`fpath\`, which may also be sourced. */
export function zshCompletion(commands: readonly CompletableCommand[]): string {
  return `#compdef oci
# oci completion for zsh: source <(oci completion zsh), or as _oci in a directory of $fpath
_oci_list() {
  local -a found
  found=(\${(f)"$(command oci completion --list $1 2>/dev/null)"})
  (( $#found )) && compadd -a found
}
_oci() {
  local curcontext=$curcontext state line
  local -a commands
  commands=(
${commands.map(({ name, summary }) => `    ${quote(`${name}:${summary.replaceAll(':', '\\:')}`)}`).join('\n')}
  )
  _arguments -C '1: :->command' '*:: :->rest'
  case $state in
    command) _describe -t commands 'oci command' commands ;;
    rest)
      case $words[1] in
${commands.map(commandCase).join('\n')}
      esac ;;
  esac
}
if [[ $funcstack[1] == _oci ]]; then _oci "$@"; else compdef _oci oci; fi
`;
}

function commandCase({ name, flags, operands }: CompletableCommand): string {
  const positions = operands.map((operand, index) => {
    const isLast = index === operands.length - 1;
    return quote(`${isLast ? '*' : index + 1}: :${action(operand)}`);
  });
  const words = [...flags.flatMap(flagSpecs), ...positions].map((word) => `          ${word}`);
  return `        ${name}) _arguments -s \\\n${words.join(' \\\n')} ;;`;
}

function flagSpecs({ names, summary, value }: CompletableFlag): readonly string[] {
  const text = summary.replaceAll(/[[\]:\\]/g, '\\$&');
  return names.map((name) => {
    const isLong = name.startsWith('--');
    const suffix = value === undefined ? '' : isLong ? '=' : '+';
    return quote(`*${name}${suffix}[${text}]${value === undefined ? '' : `: :${action(value)}`}`);
  });
}

function action(candidates: Candidates): string {
  if (typeof candidates !== 'string') return `(${candidates.join(' ')})`;
  if (candidates === 'files') return '_files';
  if (candidates === 'directories') return '_files -/';
  return candidates === 'nothing' ? ' ' : ` _oci_list ${candidates}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

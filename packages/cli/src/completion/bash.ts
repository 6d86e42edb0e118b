import type { Candidates, CompletableCommand } from './model.ts';

/** The completion script for bash 4 and later; needs no bash-completion. */
export function bashCompletion(commands: readonly CompletableCommand[]): string {
  return `# oci completion for bash: source <(oci completion bash)
_oci() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous= line=\${COMP_LINE:0:COMP_POINT} command= operands=0 word
  # bash cuts words at ":" and "=", which image names and flags contain: cut the line at blanks instead.
  local words=()
  read -ra words <<<"$line"
  [[ $line == *[[:blank:]] ]] && words+=('')
  current=\${words[\${#words[@]}-1]}
  ((\${#words[@]} > 1)) && previous=\${words[\${#words[@]}-2]}
  local index
  for ((index = 1; index < \${#words[@]} - 1; index++)); do
    word=\${words[index]}
    case $word in
      -*) _oci_takes_value "$command" "$word" && ((index++)) ;;
      *) if [[ -z $command ]]; then command=$word; else ((operands++)); fi ;;
    esac
  done
  COMPREPLY=()
  if [[ -n $command ]] && _oci_takes_value "$command" "$previous"; then
    _oci_words "$(_oci_value "$command" "$previous")" "$current"
  elif [[ -z $command ]]; then
    _oci_words 'words:${commands.map(({ name }) => name).join(' ')}' "$current"
  elif [[ $current == --*=* ]]; then
    _oci_words "$(_oci_value "$command" "\${current%%=*}")" "\${current#*=}"
  elif [[ $current == -* ]]; then
    _oci_words "words:$(_oci_flags "$command")" "$current"
  else
    _oci_words "$(_oci_operand "$command" "$operands")" "$current"
  fi
}
_oci_words() {
  local kind=$1 current=$2 prefix line
  case $kind in
    words:*) mapfile -t COMPREPLY < <(compgen -W "\${kind#words:}" -- "$current") ;;
    files) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    directories) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
    images | containers)
      while IFS= read -r line; do
        [[ $line == "$current"* ]] && COMPREPLY+=("$line")
      done < <(command oci completion --list "$kind" 2>/dev/null)
      # What stands before the last ":" is a word of its own for bash, and stays.
      if [[ $current == *:* && $COMP_WORDBREAKS == *:* ]]; then
        prefix=\${current%"\${current##*:}"}
        COMPREPLY=("\${COMPREPLY[@]#"$prefix"}")
      fi ;;
  esac
}
_oci_flags() {
  case $1 in
${table(commands, ({ flags }) => `echo '${flags.flatMap(({ names }) => names).join(' ')}'`)}
  esac
}
_oci_takes_value() {
  case "$1 $2" in
${commands
  .flatMap(({ name, flags }) => {
    const patterns = flags.filter(({ value }) => value !== undefined).flatMap(({ names }) => names);
    return patterns.length === 0
      ? []
      : [`    ${patterns.map((flag) => `'${name} ${flag}'`).join(' | ')}) return 0 ;;`];
  })
  .join('\n')}
  esac
  return 1
}
_oci_value() {
  case "$1 $2" in
${commands
  .flatMap(({ name, flags }) =>
    flags.flatMap(({ names, value }) =>
      value === undefined || value === 'nothing'
        ? []
        : [`    ${names.map((flag) => `'${name} ${flag}'`).join(' | ')}) echo '${kindOf(value)}' ;;`],
    ),
  )
  .join('\n')}
  esac
}
_oci_operand() {
  case "$1 $2" in
${commands
  .flatMap(({ name, operands }) =>
    operands.map((operand, index) => {
      const pattern = index === operands.length - 1 ? `'${name} '*` : `'${name} ${index}'`;
      return `    ${pattern}) echo '${kindOf(operand)}' ;;`;
    }),
  )
  .join('\n')}
  esac
}
complete -F _oci oci
`;
}

function table(
  commands: readonly CompletableCommand[],
  line: (command: CompletableCommand) => string,
): string {
  return commands.map((command) => `    ${command.name}) ${line(command)} ;;`).join('\n');
}

function kindOf(candidates: Candidates): string {
  return typeof candidates === 'string' ? candidates : `words:${candidates.join(' ')}`;
}

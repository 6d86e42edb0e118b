// Writes dist/man: oci.1, and a page for each command, in the man macros, from what the commands say of themselves.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BaseCommand } from '../dist/base-command.js';
import { loadCommands } from '../dist/commands/index.js';
import { commandGroups } from '../dist/help/groups.js';
import { usageLines } from '../dist/help/usage.js';
import { packageVersion } from '../dist/package.js';

const directory = fileURLToPath(new URL('../dist/man/', import.meta.url));
const commands = Object.fromEntries(Object.entries(await loadCommands()).filter(([, { hidden }]) => !hidden));

const variables = [
  ['OCI_STORE', 'The image store. Else /var/lib/oci for root, and $XDG_DATA_HOME/oci.'],
  ['OCI_ROOT', 'The state of containers. Else /run/oci for root, and $XDG_RUNTIME_DIR/oci.'],
  ['NO_COLOR, CI', 'No colours; no progress bars.'],
  ['REGISTRY_AUTH_FILE, DOCKER_CONFIG', 'Where credentials are.'],
];

rmSync(directory, { recursive: true, force: true });
mkdirSync(directory, { recursive: true });
writeFileSync(`${directory}oci.1`, overviewPage());
for (const [name, command] of Object.entries(commands))
  writeFileSync(`${directory}oci-${name}.1`, commandPage(name, command));

function overviewPage() {
  return page('oci', 'pull, unpack, run and push OCI images, without a daemon', [
    '.SH SYNOPSIS',
    '.B oci',
    '.I COMMAND',
    '[\\fIFLAGS\\fR] [\\fIARGUMENTS\\fR]',
    '.SH COMMANDS',
    ...commandGroups.flatMap(({ title, commands: names }) => [
      `.SS ${text(title)}`,
      ...names
        .filter((name) => name in commands)
        .flatMap((name) => ['.TP', `.BR oci\\-${text(name)} (1)`, text(commands[name].summary)]),
    ]),
    '.SH FLAGS OF ALL COMMANDS',
    ...flagList(BaseCommand.baseFlags),
    '.SH EXIT STATUS',
    ...exitStatus(),
    '.SH ENVIRONMENT',
    ...variables.flatMap(([name, about]) => ['.TP', `.B ${text(name)}`, text(about)]),
  ]);
}

function commandPage(name, command) {
  const usage = usageLines(name, command);
  const examples = (command.examples ?? []).map((line) => line.replaceAll('<%= config.bin %>', 'oci'));
  const operands = Object.entries(command.args ?? {}).filter(([, { description }]) => description);
  return page(`oci-${name}`, command.summary, [
    '.SH SYNOPSIS',
    ...usage.flatMap((line, index) => [...(index > 0 ? ['.br'] : []), text(`oci ${line}`)]),
    ...(command.description ? ['.SH DESCRIPTION', text(command.description)] : []),
    ...(operands.length > 0 ? ['.SH ARGUMENTS'] : []),
    ...operands.flatMap(([argument, { description }]) => [
      '.TP',
      `.I ${text(argument.toUpperCase())}`,
      text(description),
    ]),
    ...(Object.keys(command.flags ?? {}).length > 0 ? ['.SH FLAGS', ...flagList(command.flags)] : []),
    ...(examples.length > 0 ? ['.SH EXAMPLES', '.nf', ...examples.map(text), '.fi'] : []),
    '.SH SEE ALSO',
    '.BR oci (1)',
    'for the flags of all commands, exit status and environment',
  ]);
}

function page(name, summary, lines) {
  const title = `.TH ${text(name.toUpperCase())} 1 "" "oci ${packageVersion()}" "OCI images"`;
  return `${[title, '.SH NAME', `${text(name)} \\- ${text(summary)}`, ...lines].join('\n')}\n`;
}

function flagList(flags) {
  return Object.entries(flags)
    .filter(([, { hidden }]) => !hidden)
    .flatMap(([name, flag]) => {
      const value =
        flag.type === 'boolean'
          ? ''
          : `=\\fI${text(flag.options?.join('|') ?? flag.helpValue ?? 'VALUE')}\\fR`;
      const short = flag.char ? `\\fB\\-${text(flag.char)}\\fR, ` : '';
      const standard =
        flag.type === 'option' && flag.default !== undefined
          ? ` Default: ${text(String(flag.default))}.`
          : '';
      return [
        '.TP',
        `${short}\\fB\\-\\-${text(name)}\\fR${value}`,
        `${text(flag.summary ?? '')}.${standard}`,
      ];
    });
}

function exitStatus() {
  const rows = [
    ['0', 'done'],
    ['1', 'it failed'],
    ['2', 'the command line is wrong'],
    [
      '125, 126, 127',
      'run and exec: the container could not be started, its command cannot be executed, it was not found',
    ],
    ['130, 143', 'interrupted by SIGINT, SIGTERM'],
  ];
  return rows.flatMap(([code, about]) => ['.TP', `.B ${code}`, text(`${about}.`)]);
}

/** Text that roff takes as it is: no escapes, no requests, hyphens that can be copied. */
function text(value) {
  return String(value)
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/[^\x20-\x7e\n]/gu, (character) => {
      const code = character.codePointAt(0).toString(16).toUpperCase().padStart(4, '0');
      return `\\[u${code}]`;
    })
    .replace(/^([.'])/gm, '\\&$1');
}

// Writes docs/cli.md from the commands as they are built; with --check it fails when the page is out of date.
import { readFile, writeFile } from 'node:fs/promises';
import { BaseCommand } from '../dist/base-command.js';
import { loadCommands } from '../dist/commands/index.js';
import { usageLines } from '../dist/help/usage.js';

const page = new URL('../../../docs/cli.md', import.meta.url);
const text = reference(await loadCommands());
if (process.argv.includes('--check')) {
  if ((await readFile(page, 'utf8')) !== text) {
    process.stderr.write('docs/cli.md is out of date: run `npm run docs -w @ocijs/cli`\n');
    process.exitCode = 1;
  }
} else {
  await writeFile(page, text);
}

function reference(all) {
  const commands = Object.entries(all).filter(([, command]) => !command.hidden);
  return [
    '# The `oci` command',
    '',
    'Generated from the commands by `npm run docs -w @ocijs/cli`; edit them instead.',
    '',
    '## Image names',
    '',
    '| name | means |',
    '|---|---|',
    '| `NAME[:TAG][@DIGEST]` | the store first; pulled when it is missing there. `docker.io` and `library/` are implied as for Docker |',
    '| `docker://NAME…` | always the registry |',
    '| `oci:DIR`, `oci:DIR:TAG`, `oci:DIR@DIGEST` | an image in an OCI layout |',
    '',
    '## Exit codes',
    '',
    '| code | means |',
    '|---|---|',
    '| 0 | done |',
    '| 1 | it failed |',
    '| 2 | the command line is wrong |',
    '| 130, 143 | interrupted by SIGINT, SIGTERM |',
    '| `run` | the code of the command; 128+n after signal n; 125 the container could not be started; 126 the command cannot be executed; 127 it was not found |',
    '',
    'With `--json` a failure is `{"error": {"code", "message", "hint"?, "cause"?}}` on standard output.',
    '',
    '## Flags of all commands',
    '',
    ...flagTable(BaseCommand.baseFlags),
    ...commands.flatMap(([name, command]) => section(name, command)),
    '',
  ].join('\n');
}

function section(name, command) {
  const usage = usageLines(name, command).map((line) => `oci ${line}`);
  const examples = (command.examples ?? []).map((line) => line.replaceAll('<%= config.bin %>', 'oci'));
  return [
    '',
    `## oci ${name}`,
    '',
    `${command.summary}.`,
    ...(command.description ? ['', command.description] : []),
    '',
    '```sh',
    ...usage,
    '```',
    ...(Object.values(command.flags ?? {}).some(({ hidden }) => !hidden)
      ? ['', ...flagTable(command.flags)]
      : []),
    ...(examples.length > 0 ? ['', 'Examples:', '', '```sh', ...examples, '```'] : []),
  ];
}

function flagTable(flags) {
  const shown = Object.entries(flags).filter(([, { hidden }]) => !hidden);
  const rows = shown.map(([name, flag]) => {
    const value = flag.type === 'boolean' ? '' : `=${flag.options?.join('|') ?? flag.helpValue ?? 'VALUE'}`;
    const names = `${flag.char ? `-${flag.char}, ` : ''}--${name}${value}`.replaceAll('|', '\\|');
    const standard =
      flag.type === 'option' && flag.default !== undefined ? ` (default \`${flag.default}\`)` : '';
    return `| \`${names}\` | ${flag.summary}${standard}${flag.multiple ? '; repeatable' : ''} |`;
  });
  return ['| flag | does |', '|---|---|', ...rows];
}

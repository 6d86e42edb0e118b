import type { Flags } from './arguments.ts';
import type { Command } from './command.ts';

const summaries: Readonly<Record<string, string>> = {
  checkpoint: "write the state of a container's processes with criu",
  create: 'create a container from a bundle',
  delete: 'delete a container and what it holds',
  events: 'print usage and out-of-memory events as JSON lines',
  exec: 'run a further process in a container',
  features: 'print what this runtime supports as JSON',
  kill: "send a signal to a container's process (TERM by default)",
  list: 'list containers',
  mounts: 'add or remove mounts of a running container',
  pause: 'stop all processes of a container where they are',
  ps: 'list the processes of a container',
  restore: 'start a container from a checkpoint',
  resume: 'let a paused container go on',
  run: 'create, start and wait for a container, then delete it',
  spec: 'write a config.json to start from',
  start: 'start a created container',
  state: 'print the state of a container as JSON',
  update: 'change the limits of a container while it runs',
};

function formatFlags(flags: Flags): string {
  const lines = Object.entries(flags).map(([name, { short, takes, about }]) => {
    const names = `${short === undefined ? '' : `-${short}, `}--${name}${takes === 'nothing' ? '' : ' VALUE'}`;
    return `   ${names.padEnd(28)} ${about}\n`;
  });
  return lines.length === 0 ? '' : `\nFLAGS:\n${lines.join('')}`;
}

/** The text of `--help`. */
export function globalHelp(flags: Flags): string {
  const lines = Object.entries(summaries).map(([name, summary]) => `   ${name.padEnd(10)} ${summary}\n`);
  return (
    'NAME:\n   oci-runtime - Open Container Initiative runtime\n\n' +
    'USAGE:\n   oci-runtime [global flags] COMMAND [flags] [arguments]\n\n' +
    `COMMANDS:\n${lines.join('')}${formatFlags(flags)}`
  );
}

/** The text of `COMMAND --help`. */
export function commandHelp(command: Command): string {
  const [name = ''] = command.usage.split(' ');
  return `NAME:\n   oci-runtime ${name} - ${summaries[name] ?? ''}\n\nUSAGE:\n   oci-runtime ${command.usage}\n${formatFlags(command.flags)}`;
}

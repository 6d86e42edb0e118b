import { Flags } from '@oclif/core';
import { pullFlags } from '../flags/pull.ts';

const process = 'PROCESS';
const files = 'FILES';
const isolation = 'ISOLATION';
const limits = 'LIMITS';
const many = { multiple: true, multipleNonGreedy: true } as const;

/** The flags of `run`, with Docker's names and meaning. What is not here is refused as unknown. */
export const runFlags = {
  interactive: Flags.boolean({ default: false, char: 'i', summary: 'Give the command our standard input' }),
  tty: Flags.boolean({
    default: false,
    char: 't',
    summary: 'Give the command a terminal',
    exclusive: ['detach'],
  }),
  detach: Flags.boolean({
    default: false,
    char: 'd',
    summary: 'Leave it running in the background and print its id',
  }),
  rm: Flags.boolean({ default: false, summary: 'Remove the container when it ends' }),
  name: Flags.string({ summary: 'Name the container' }),
  bundle: Flags.string({ helpValue: 'DIR', summary: 'Launch this bundle as it is, instead of an image' }),
  ...pullFlags,

  env: Flags.string({
    char: 'e',
    ...many,
    helpGroup: process,
    helpValue: 'NAME[=VALUE]',
    summary: 'Set a variable',
  }),
  'env-file': Flags.string({
    ...many,
    helpGroup: process,
    helpValue: 'FILE',
    summary: 'Set variables from a file',
  }),
  workdir: Flags.string({
    char: 'w',
    helpGroup: process,
    helpValue: 'DIR',
    summary: 'Start in this directory',
  }),
  user: Flags.string({
    char: 'u',
    helpGroup: process,
    helpValue: 'USER[:GROUP]',
    summary: 'Run as this user',
  }),
  entrypoint: Flags.string({
    helpGroup: process,
    helpValue: 'COMMAND',
    summary: "Replace the image's entrypoint",
  }),

  volume: Flags.string({
    char: 'v',
    ...many,
    helpGroup: files,
    helpValue: 'SRC:DST[:OPTIONS]',
    summary: 'Mount a directory or file of the host',
  }),
  mount: Flags.string({
    ...many,
    helpGroup: files,
    helpValue: 'type=…,…',
    summary: 'Mount type bind or tmpfs',
  }),
  tmpfs: Flags.string({
    ...many,
    helpGroup: files,
    helpValue: 'DST[:OPTIONS]',
    summary: 'Mount a file system in memory',
  }),
  'read-only': Flags.boolean({
    default: false,
    helpGroup: files,
    summary: "Make the container's root file system read-only",
  }),
  device: Flags.string({
    ...many,
    helpGroup: files,
    helpValue: 'SRC[:DST[:rwm]]',
    summary: 'Give access to a device',
  }),

  hostname: Flags.string({
    helpGroup: isolation,
    helpValue: 'NAME',
    summary: "Set the container's host name",
  }),
  network: Flags.string({
    helpGroup: isolation,
    options: ['none', 'host'],
    default: 'none',
    summary: 'Own network with loopback only, or the host’s',
  }),
  'cap-add': Flags.string({
    ...many,
    helpGroup: isolation,
    helpValue: 'CAP',
    summary: 'Add a capability, or ALL',
  }),
  'cap-drop': Flags.string({
    ...many,
    helpGroup: isolation,
    helpValue: 'CAP',
    summary: 'Drop a capability, or ALL',
  }),
  'security-opt': Flags.string({
    ...many,
    helpGroup: isolation,
    helpValue: 'OPTION',
    summary: 'no-new-privileges, seccomp=FILE, seccomp=unconfined, apparmor=unconfined',
  }),
  privileged: Flags.boolean({
    default: false,
    helpGroup: isolation,
    summary: 'All capabilities and devices, nothing masked',
  }),

  memory: Flags.string({
    char: 'm',
    helpGroup: limits,
    helpValue: 'SIZE',
    summary: 'Memory limit, such as 512m',
  }),
  cpus: Flags.string({ helpGroup: limits, helpValue: 'N', summary: 'CPU limit, such as 1.5' }),
  'pids-limit': Flags.integer({
    helpGroup: limits,
    min: -1,
    helpValue: 'N',
    summary: 'Process limit; -1 is none',
  }),
  ulimit: Flags.string({
    ...many,
    helpGroup: limits,
    helpValue: 'NAME=SOFT[:HARD]',
    summary: 'Resource limit',
  }),
};

/** Parsed {@link runFlags}. */
export interface RunFlagValues {
  readonly interactive: boolean;
  readonly tty: boolean;
  readonly detach: boolean;
  readonly rm: boolean;
  readonly name?: string | undefined;
  readonly env?: readonly string[] | undefined;
  readonly 'env-file'?: readonly string[] | undefined;
  readonly workdir?: string | undefined;
  readonly user?: string | undefined;
  readonly entrypoint?: string | undefined;
  readonly volume?: readonly string[] | undefined;
  readonly mount?: readonly string[] | undefined;
  readonly tmpfs?: readonly string[] | undefined;
  readonly 'read-only': boolean;
  readonly device?: readonly string[] | undefined;
  readonly hostname?: string | undefined;
  readonly network: string;
  readonly 'cap-add'?: readonly string[] | undefined;
  readonly 'cap-drop'?: readonly string[] | undefined;
  readonly 'security-opt'?: readonly string[] | undefined;
  readonly privileged: boolean;
  readonly memory?: string | undefined;
  readonly cpus?: string | undefined;
  readonly 'pids-limit'?: number | undefined;
  readonly ulimit?: readonly string[] | undefined;
}

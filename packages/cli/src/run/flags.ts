import { Flags } from '@oclif/core';
import { pullFlags } from '../flags/pull.ts';

const process = 'PROCESS';
const files = 'FILES';
const isolation = 'ISOLATION';
const limits = 'LIMITS';
const networking = 'NETWORK';
const health = 'HEALTH';
const many = { multiple: true, multipleNonGreedy: true } as const;

/** The flags of `run`, with Docker's names and meaning. What is not here is refused as unknown. */
export const runFlags = {
  interactive: Flags.boolean({ default: false, char: 'i', summary: 'Give the command our standard input' }),
  tty: Flags.boolean({ default: false, char: 't', summary: 'Give the command a terminal' }),
  detach: Flags.boolean({
    default: false,
    char: 'd',
    summary: 'Leave it running in the background and print its id',
  }),
  rm: Flags.boolean({ default: false, summary: 'Remove the container when it ends' }),
  name: Flags.string({ summary: 'Name the container' }),
  cidfile: Flags.string({ helpValue: 'FILE', summary: 'Write the container id to this new file' }),
  label: Flags.string({
    char: 'l',
    ...many,
    helpValue: 'NAME[=VALUE]',
    summary: 'Set a label of the container',
  }),
  'label-file': Flags.string({ ...many, helpValue: 'FILE', summary: 'Set labels from a file' }),
  bundle: Flags.string({ helpValue: 'DIR', summary: 'Launch this bundle as it is, instead of an image' }),
  runtime: Flags.string({
    helpValue: 'PATH|NAME',
    summary: 'Run it in the foreground with another OCI runtime, such as runc or crun',
  }),
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
  'group-add': Flags.string({
    ...many,
    helpGroup: process,
    helpValue: 'GROUP',
    summary: 'Also be in this group of the image, by name or number',
  }),
  init: Flags.boolean({
    default: false,
    helpGroup: process,
    summary: 'Run a small process 1 that forwards signals and reaps processes',
  }),
  'stop-signal': Flags.string({
    helpGroup: process,
    helpValue: 'SIGNAL',
    summary: 'What `oci stop` sends, instead of what the image says',
  }),
  'stop-timeout': Flags.integer({
    helpGroup: process,
    min: -1,
    max: 1_000_000,
    helpValue: 'SECONDS',
    summary: 'How long `oci stop` waits before SIGKILL; -1 is for ever',
  }),
  'oom-score-adj': Flags.integer({
    helpGroup: process,
    min: -1000,
    max: 1000,
    helpValue: 'N',
    summary: 'Make the kernel prefer or spare it when memory runs out',
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
    summary: 'Give access to a device, or to all in a directory',
  }),
  'shm-size': Flags.string({
    helpGroup: files,
    helpValue: 'SIZE',
    summary: 'Size of /dev/shm, such as 256m; 64m by default',
  }),

  network: Flags.string({
    aliases: ['net'],
    helpGroup: networking,
    helpValue: 'none|host|bridge|pasta|slirp4netns|container:NAME',
    summary: 'How it is connected (else $OCI_NETWORK, else the best that the host has)',
  }),
  publish: Flags.string({
    char: 'p',
    ...many,
    helpGroup: networking,
    helpValue: '[IP:][PORT:]PORT[/PROTOCOL]',
    summary: 'Make a port, or a range, reachable at the host',
  }),
  'publish-all': Flags.boolean({
    default: false,
    char: 'P',
    helpGroup: networking,
    summary: 'Make all exposed ports reachable at free ports of the host',
  }),
  expose: Flags.string({
    ...many,
    helpGroup: networking,
    helpValue: 'PORT[/PROTOCOL]',
    summary: 'Add a port for --publish-all',
  }),
  dns: Flags.string({
    ...many,
    helpGroup: networking,
    helpValue: 'ADDRESS',
    summary: 'Ask this name server',
  }),
  'dns-search': Flags.string({
    ...many,
    helpGroup: networking,
    helpValue: 'DOMAIN',
    summary: 'Look names up in this domain; . is none',
  }),
  'dns-option': Flags.string({
    ...many,
    helpGroup: networking,
    helpValue: 'OPTION',
    summary: 'Option of resolv.conf',
  }),
  'add-host': Flags.string({
    ...many,
    helpGroup: networking,
    helpValue: 'NAME:ADDRESS',
    summary: 'Add a name to /etc/hosts; the address host-gateway is the host',
  }),
  hostname: Flags.string({
    helpGroup: networking,
    helpValue: 'NAME',
    summary: "Set the container's host name",
  }),
  domainname: Flags.string({ helpGroup: networking, helpValue: 'NAME', summary: 'Set its NIS domain name' }),

  pid: Flags.string({
    helpGroup: isolation,
    helpValue: 'private|host|container:NAME',
    summary: 'Whose processes it sees',
  }),
  ipc: Flags.string({
    helpGroup: isolation,
    helpValue: 'private|host|container:NAME',
    summary: 'Whose System V IPC and message queues it has',
  }),
  uts: Flags.string({
    helpGroup: isolation,
    options: ['private', 'host'],
    summary: 'Whose host name it has',
  }),
  cgroupns: Flags.string({
    helpGroup: isolation,
    options: ['private', 'host'],
    summary: 'Whose cgroups it sees',
  }),
  sysctl: Flags.string({
    ...many,
    helpGroup: isolation,
    helpValue: 'NAME=VALUE',
    summary: 'Set a kernel parameter of its namespaces',
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
    summary:
      'no-new-privileges, seccomp=FILE|unconfined, apparmor=PROFILE|unconfined, systempaths=unconfined, label=disable',
  }),
  privileged: Flags.boolean({
    default: false,
    helpGroup: isolation,
    summary: 'All capabilities and devices, nothing masked',
  }),
  'emulate-owners': Flags.boolean({
    default: false,
    helpGroup: isolation,
    summary:
      'Without subordinate ids: show the owners of files that are noted, and let the container change them',
  }),

  memory: Flags.string({
    char: 'm',
    helpGroup: limits,
    helpValue: 'SIZE',
    summary: 'Memory limit, such as 512m',
  }),
  'memory-reservation': Flags.string({
    helpGroup: limits,
    helpValue: 'SIZE',
    summary: 'Memory to leave it when the host runs out',
  }),
  'memory-swap': Flags.string({
    helpGroup: limits,
    helpValue: 'SIZE',
    summary: 'Limit of memory and swap together; -1 is none',
  }),
  'cpu-shares': Flags.integer({
    helpGroup: limits,
    min: 2,
    helpValue: 'N',
    summary: 'Weight among containers; 1024 is usual',
  }),
  'cpuset-cpus': Flags.string({
    helpGroup: limits,
    helpValue: 'LIST',
    summary: 'Only these CPUs, such as 0-3,6',
  }),
  'cpuset-mems': Flags.string({
    helpGroup: limits,
    helpValue: 'LIST',
    summary: 'Only memory of these NUMA nodes',
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

  'health-cmd': Flags.string({
    helpGroup: health,
    helpValue: 'COMMAND',
    summary: 'Shell command that tells whether it is well, instead of the image’s',
  }),
  'health-interval': Flags.string({
    helpGroup: health,
    helpValue: 'TIME',
    summary: 'Time between checks; 30s by default',
  }),
  'health-timeout': Flags.string({
    helpGroup: health,
    helpValue: 'TIME',
    summary: 'How long a check may take; 30s by default',
  }),
  'health-retries': Flags.integer({
    helpGroup: health,
    min: 1,
    helpValue: 'N',
    summary: 'Failures in a row that make it unhealthy; 3 by default',
  }),
  'health-start-period': Flags.string({
    helpGroup: health,
    helpValue: 'TIME',
    summary: 'Failures do not count for so long after the start',
  }),
  'health-start-interval': Flags.string({
    helpGroup: health,
    helpValue: 'TIME',
    summary: 'Time between checks meanwhile; 5s by default',
  }),
  'no-healthcheck': Flags.boolean({
    default: false,
    helpGroup: health,
    summary: 'Ignore the health check of the image',
  }),
};

type Texts = readonly string[] | undefined;

/** Parsed {@link runFlags}. */
export interface RunFlagValues {
  readonly interactive: boolean;
  readonly tty: boolean;
  readonly detach: boolean;
  readonly rm: boolean;
  readonly runtime?: string | undefined;
  readonly name?: string | undefined;
  readonly cidfile?: string | undefined;
  readonly label?: Texts;
  readonly 'label-file'?: Texts;
  readonly env?: Texts;
  readonly 'env-file'?: Texts;
  readonly workdir?: string | undefined;
  readonly user?: string | undefined;
  readonly entrypoint?: string | undefined;
  readonly 'group-add'?: Texts;
  readonly init?: boolean;
  readonly 'stop-signal'?: string | undefined;
  readonly 'stop-timeout'?: number | undefined;
  readonly 'oom-score-adj'?: number | undefined;
  readonly volume?: Texts;
  readonly mount?: Texts;
  readonly tmpfs?: Texts;
  readonly 'read-only': boolean;
  readonly device?: Texts;
  readonly 'shm-size'?: string | undefined;
  readonly network?: string | undefined;
  readonly publish?: Texts;
  readonly 'publish-all'?: boolean;
  readonly expose?: Texts;
  readonly dns?: Texts;
  readonly 'dns-search'?: Texts;
  readonly 'dns-option'?: Texts;
  readonly 'add-host'?: Texts;
  readonly hostname?: string | undefined;
  readonly domainname?: string | undefined;
  readonly pid?: string | undefined;
  readonly ipc?: string | undefined;
  readonly uts?: string | undefined;
  readonly cgroupns?: string | undefined;
  readonly sysctl?: Texts;
  readonly 'cap-add'?: Texts;
  readonly 'cap-drop'?: Texts;
  readonly 'security-opt'?: Texts;
  readonly privileged: boolean;
  readonly 'emulate-owners'?: boolean;
  readonly memory?: string | undefined;
  readonly 'memory-reservation'?: string | undefined;
  readonly 'memory-swap'?: string | undefined;
  readonly cpus?: string | undefined;
  readonly 'cpu-shares'?: number | undefined;
  readonly 'cpuset-cpus'?: string | undefined;
  readonly 'cpuset-mems'?: string | undefined;
  readonly 'pids-limit'?: number | undefined;
  readonly ulimit?: Texts;
  readonly 'health-cmd'?: string | undefined;
  readonly 'health-interval'?: string | undefined;
  readonly 'health-timeout'?: string | undefined;
  readonly 'health-retries'?: number | undefined;
  readonly 'health-start-period'?: string | undefined;
  readonly 'health-start-interval'?: string | undefined;
  readonly 'no-healthcheck'?: boolean;
}

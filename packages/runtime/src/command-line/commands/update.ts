import { readFileSync } from 'node:fs';
import type { CpuResources, MemoryResources, Resources } from '@ocijs/bundle/spec';
import { parseSpec } from '@ocijs/bundle/spec';
import { update } from '../../lifecycle/update.ts';
import { type ParsedArguments, textFlag, usageError } from '../arguments.ts';
import type { Command } from '../command.ts';
import { containerId } from './create-flags.ts';

const units = ['', 'k', 'm', 'g', 't', 'p'];

/** A size as Docker writes it: `512m`, `1.5GiB`, or `-1` for no limit. */
function parseSize(text: string, name: string): number {
  if (text === '-1') return -1;
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)*) ?([kmgtp]?)i?b?$/i.exec(text) ?? [];
  const size = Math.trunc(Number(number) * 1024 ** units.indexOf(unit.toLowerCase()));
  if (number !== '' && Number.isFinite(size)) return size;
  throw usageError(`invalid value for ${name}: invalid size: '${text}'`);
}

function parseInteger(text: string, name: string): number {
  if (/^[+-]?\d{1,18}$/.test(text)) return Number(text);
  throw usageError(`invalid value for ${name}: parsing ${JSON.stringify(text)}: invalid syntax`);
}

function parseUnsigned(text: string, name: string): number {
  const number = parseInteger(text, name);
  if (number >= 0) return number;
  throw usageError(`invalid value for ${name}: parsing ${JSON.stringify(text)}: invalid syntax`);
}

const memoryFlags: readonly (readonly [flag: string, field: keyof MemoryResources])[] = [
  ['memory', 'limit'],
  ['memory-swap', 'swap'],
  ['memory-reservation', 'reservation'],
];

const cpuFlags: readonly (readonly [string, keyof CpuResources, (text: string, name: string) => number])[] = [
  ['cpu-share', 'shares', parseUnsigned],
  ['cpu-period', 'period', parseUnsigned],
  ['cpu-quota', 'quota', parseInteger],
  ['cpu-burst', 'burst', parseUnsigned],
  ['cpu-rt-period', 'realtimePeriod', parseUnsigned],
  ['cpu-rt-runtime', 'realtimeRuntime', parseInteger],
  ['cpu-idle', 'idle', parseInteger],
];

function resourcesOfFlags(parsed: ParsedArguments): Resources {
  const memory = memoryFlags.flatMap(([flag, field]) => {
    const text = textFlag(parsed, flag);
    return text ? [[field, parseSize(text, flag)] as const] : [];
  });
  const cpu = cpuFlags.flatMap(([flag, field, parse]) => {
    const text = textFlag(parsed, flag);
    return text ? [[field, parse(text, flag)] as const] : [];
  });
  const cpus = textFlag(parsed, 'cpuset-cpus');
  const mems = textFlag(parsed, 'cpuset-mems');
  const pids = textFlag(parsed, 'pids-limit');
  const weight = textFlag(parsed, 'blkio-weight');
  const blkioWeight = weight ? parseUnsigned(weight, 'blkio-weight') : 0;
  return {
    memory: Object.fromEntries(memory),
    cpu: { ...Object.fromEntries(cpu), ...(cpus && { cpus }), ...(mems && { mems }) },
    ...(pids && { pids: { limit: parseInteger(pids, 'pids-limit') } }),
    ...(blkioWeight > 0 && { blockIO: { weight: blkioWeight } }),
  };
}

/** Reads resources from a file, or from standard input; checked as a part of a configuration. */
function readResources(path: string): Resources {
  const text = Buffer.concat([
    Buffer.from('{"ociVersion":"1.0.2","linux":{"resources":'),
    readFileSync(path === '-' ? 0 : path),
    Buffer.from('}}'),
  ]);
  return parseSpec(text).linux?.resources ?? {};
}

/** `oci-runtime update` */
export const command: Command = {
  usage: 'update [flags] ID',
  flags: {
    resources: { takes: 'text', short: 'r', about: 'a file with resources as in config.json, - for stdin' },
    memory: { takes: 'text', about: 'memory limit, such as 512m; -1 for none' },
    'memory-reservation': { takes: 'text', about: 'memory that is protected' },
    'memory-swap': { takes: 'text', about: 'limit of memory and swap together' },
    'kernel-memory': { takes: 'text', about: 'accepted, without effect' },
    'kernel-memory-tcp': { takes: 'text', about: 'accepted, without effect' },
    'cpu-share': { takes: 'text', about: 'weight among other containers' },
    'cpu-period': { takes: 'text', about: 'period of the quota, in microseconds' },
    'cpu-quota': { takes: 'text', about: 'processor time in a period, in microseconds' },
    'cpu-burst': { takes: 'text', about: 'time that may be saved up, in microseconds' },
    'cpu-rt-period': { takes: 'text', about: 'period of real-time scheduling' },
    'cpu-rt-runtime': { takes: 'text', about: 'real-time in a period' },
    'cpu-idle': { takes: 'text', about: '1: only what others leave' },
    'cpuset-cpus': { takes: 'text', about: 'processors, such as 0-3,7' },
    'cpuset-mems': { takes: 'text', about: 'memory nodes' },
    'pids-limit': { takes: 'text', about: 'number of processes; -1 for no limit' },
    'blkio-weight': { takes: 'text', about: 'weight of block device access, 10 to 1000' },
    'l3-cache-schema': { takes: 'text', about: 'not supported' },
    'mem-bw-schema': { takes: 'text', about: 'not supported' },
  },
  words: [1, 1],
  run: async (context) => {
    const { parsed, root, log } = context;
    for (const name of ['l3-cache-schema', 'mem-bw-schema']) {
      if (textFlag(parsed, name)) throw usageError(`--${name} is not supported: Intel RDT is not enabled`);
    }
    const file = textFlag(parsed, 'resources');
    const resources = file ? readResources(file) : resourcesOfFlags(parsed);
    const isKernelMemory = textFlag(parsed, 'kernel-memory') ?? textFlag(parsed, 'kernel-memory-tcp') ?? '';
    if (isKernelMemory !== '') log.warning('Kernel memory settings are ignored and will be removed');
    await update(containerId(context), resources, { root });
    return 0;
  },
};

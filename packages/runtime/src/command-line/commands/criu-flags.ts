import type { CriuSettings } from '../../checkpoint/options.ts';
import { type cgroupModes, isCgroupMode } from '../../checkpoint/request.ts';
import { type Flags, listFlag, type ParsedArguments, textFlag, usageError } from '../arguments.ts';

/** The flags that `checkpoint` and `restore` share. */
export const criuFlags: Flags = {
  'image-path': { takes: 'text', about: 'the directory of the images; "checkpoint" by default' },
  'work-path': { takes: 'text', about: "the directory for criu's logs; that of the images by default" },
  'tcp-established': { takes: 'nothing', about: 'allow open tcp connections' },
  'ext-unix-sk': { takes: 'nothing', about: 'allow unix sockets that lead outside' },
  'shell-job': { takes: 'nothing', about: 'allow a session that started outside' },
  'lazy-pages': { takes: 'nothing', about: 'fetch memory when it is used' },
  'file-locks': { takes: 'nothing', about: 'handle file locks' },
  'manage-cgroups-mode': { takes: 'text', about: 'soft (default), full, strict or ignore' },
  'empty-ns': { takes: 'list', about: 'a namespace to leave empty: network' },
  'auto-dedup': { takes: 'nothing', about: 'remove pages of parent images that are not needed any more' },
};

function cgroupsMode(parsed: ParsedArguments): keyof typeof cgroupModes | undefined {
  const mode = textFlag(parsed, 'manage-cgroups-mode');
  if (!mode) return undefined;
  if (isCgroupMode(mode)) return mode;
  throw usageError(`Invalid manage-cgroups-mode value: ${mode}`);
}

/** The settings of criu from the flags. */
export function criuSettings(parsed: ParsedArguments): CriuSettings {
  const emptyNamespaces = listFlag(parsed, 'empty-ns').map((name): 'network' => {
    if (name === 'network') return name;
    throw usageError(`namespace ${JSON.stringify(name)} cannot be left empty`);
  });
  return {
    imagePath: textFlag(parsed, 'image-path') || 'checkpoint',
    workPath: textFlag(parsed, 'work-path') || undefined,
    tcpEstablished: parsed.flags.has('tcp-established'),
    extUnixSockets: parsed.flags.has('ext-unix-sk'),
    shellJob: parsed.flags.has('shell-job'),
    lazyPages: parsed.flags.has('lazy-pages'),
    fileLocks: parsed.flags.has('file-locks'),
    cgroupsMode: cgroupsMode(parsed),
    emptyNamespaces,
    autoDedup: parsed.flags.has('auto-dedup'),
  };
}

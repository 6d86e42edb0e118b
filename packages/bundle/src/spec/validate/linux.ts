import { idLimit } from '../limits.ts';
import {
  absolutePath,
  array,
  boolean,
  type Check,
  int64,
  integer,
  isObject,
  nonEmptyString,
  object,
  oneOf,
  pattern,
  record,
  string,
  uint32,
  uniqueBy,
} from './checks.ts';
import { resourcesCheck } from './resources.ts';
import { seccompCheck } from './seccomp.ts';

/** Id mappings of a user namespace or an id-mapped mount. */
export const idMappingsCheck: Check = array(
  object({ required: { containerID: uint32, hostID: uint32, size: integer(1, 2 ** 32 - 1) } }),
);

const id: Check = integer(0, idLimit);

const namespaces: Check = uniqueBy(
  'type',
  array(
    object({
      required: { type: oneOf(['pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup', 'time']) },
      optional: { path: (value, place) => (value === '' ? undefined : absolutePath(value, place)) },
    }),
  ),
);

const device: Check = (value, place) => {
  object({
    required: { type: oneOf(['c', 'b', 'u', 'p']), path: absolutePath },
    optional: { major: int64, minor: int64, fileMode: integer(0, 0o7777), uid: id, gid: id },
  })(value, place);
  const { type, major, minor } = (value ?? {}) as Record<string, unknown>;
  if (type === 'p' || type === undefined) return;
  if (major === undefined) place.at('major').report('is required');
  if (minor === undefined) place.at('minor').report('is required');
};

const timeOffset: Check = object({ optional: { secs: int64, nanosecs: integer(0, 999_999_999) } });

const memoryPolicy: Check = object({
  required: {
    mode: pattern(
      /^MPOL_(DEFAULT|PREFERRED|BIND|INTERLEAVE|LOCAL|PREFERRED_MANY|WEIGHTED_INTERLEAVE)$/,
      'a mode such as MPOL_BIND (invalid memory policy mode)',
    ),
  },
  optional: {
    nodes: string,
    flags: array(
      pattern(
        /^MPOL_F_(NUMA_BALANCING|RELATIVE_NODES|STATIC_NODES)$/,
        'MPOL_F_STATIC_NODES or another one (invalid memory policy flag)',
      ),
    ),
  },
});

/** `linux` (runtime-spec `config-linux.md`). */
export const linuxCheck: Check = object({
  optional: {
    namespaces,
    uidMappings: idMappingsCheck,
    gidMappings: idMappingsCheck,
    timeOffsets: object({ optional: { boottime: timeOffset, monotonic: timeOffset } }),
    devices: array(device),
    netDevices: record(object({ optional: { name: string } }), nonEmptyString),
    cgroupsPath: string,
    resources: resourcesCheck,
    intelRdt: object({
      optional: {
        closID: string,
        schemata: array(string),
        l3CacheSchema: string,
        memBwSchema: pattern(/^MB:[^\n]*$/, 'a schema such as MB:0=50'),
        enableMonitoring: boolean,
      },
    }),
    memoryPolicy: (value, place) => {
      if (isObject(value) && !value['mode']) place.report('has an invalid memory policy mode: it is missing');
      else memoryPolicy(value, place);
    },
    personality: object({
      required: { domain: oneOf(['LINUX', 'LINUX32']) },
      optional: { flags: array(string) },
    }),
    rootfsPropagation: oneOf([
      '',
      'private',
      'shared',
      'slave',
      'unbindable',
      'rprivate',
      'rshared',
      'rslave',
      'runbindable',
    ]),
    sysctl: record(string, nonEmptyString),
    seccomp: seccompCheck,
    maskedPaths: array(absolutePath),
    readonlyPaths: array(absolutePath),
    mountLabel: string,
  },
});

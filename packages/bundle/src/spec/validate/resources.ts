import {
  array,
  boolean,
  type Check,
  int64,
  integer,
  nonEmptyString,
  object,
  oneOf,
  pattern,
  record,
  string,
  uint16,
  uint32,
  uint64,
} from './checks.ts';

/** A device number; -1 stands for every number in a device rule. */
const deviceNumber: Check = integer(-1, 2 ** 32 - 1);
const blockDevice = { major: int64, minor: int64 };
const throttles: Check = array(object({ required: blockDevice, optional: { rate: uint64 } }));
const cpuList: Check = pattern(/^[0-9,\- ]*$/, 'a list such as 0-3,7');

const deviceRule: Check = object({
  required: { allow: boolean },
  optional: {
    type: oneOf(['', 'a', 'b', 'c']),
    major: deviceNumber,
    minor: deviceNumber,
    // runc takes "a" as well, which the specification does not have; it has no meaning there.
    access: pattern(/^[rwma]*$/, 'made of r, w and m'),
  },
});

const memory: Check = object({
  optional: {
    limit: int64,
    reservation: int64,
    swap: int64,
    kernel: int64,
    kernelTCP: int64,
    swappiness: uint64,
    disableOOMKiller: boolean,
    useHierarchy: boolean,
    checkBeforeUpdate: boolean,
  },
});

const cpu: Check = object({
  optional: {
    shares: uint64,
    quota: int64,
    burst: uint64,
    period: uint64,
    realtimeRuntime: int64,
    realtimePeriod: uint64,
    cpus: cpuList,
    mems: cpuList,
    idle: int64,
  },
});

const blockIO: Check = object({
  optional: {
    weight: uint16,
    leafWeight: uint16,
    weightDevice: array(object({ required: blockDevice, optional: { weight: uint16, leafWeight: uint16 } })),
    throttleReadBpsDevice: throttles,
    throttleWriteBpsDevice: throttles,
    throttleReadIOPSDevice: throttles,
    throttleWriteIOPSDevice: throttles,
  },
});

/** A file of a cgroup, never a path: it is opened in the container's own cgroup. */
const controlFile: Check = pattern(/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+$/, 'a cgroup file such as memory.max');

/** `linux.resources` (runtime-spec `config-linux.md`, "Control groups"). */
export const resourcesCheck: Check = object({
  optional: {
    devices: array(deviceRule),
    memory,
    cpu,
    pids: object({ required: { limit: int64 } }),
    blockIO,
    hugepageLimits: array(
      object({
        required: { pageSize: pattern(/^[1-9][0-9]*[KMG]B$/, 'a size such as 2MB'), limit: uint64 },
      }),
    ),
    network: object({
      optional: {
        classID: uint32,
        priorities: array(object({ required: { name: nonEmptyString, priority: uint32 } })),
      },
    }),
    rdma: record(object({ optional: { hcaHandles: uint32, hcaObjects: uint32 } })),
    unified: record(string, controlFile),
  },
});

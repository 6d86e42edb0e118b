/** The numbers of the launch plan; the native side has the same in `native/plan.h`, and a test compares both. */

export const planMagic = 0x5049434f;
export const planVersion = 1;

/** The largest plan, in bytes. */
export const planSizeLimit: number = (4 << 20) - 8;

/** How many mounts and namespaces can be held open at once. */
export const slotLimit = 2048;

export const planFlags = { attached: 1, hostSession: 2, relay: 4, joiner: 8, hostOnly: 16 } as const;

/**
 * Who carries a step out, and when. The first three start on their own; the others are carried out by the monitor, in
 * the host, when the init asks for them.
 */
export const sections = {
  host: 0,
  join: 1,
  init: 2,
  maps: 3,
  attend: 4,
  hooks: 5,
  limits: 6,
  clocks: 7,
  shift: 8,
} as const;

/** The name of a section. */
export type Section = keyof typeof sections;

/** What a step does. */
export const stepTags = {
  ask: 1,
  pipes: 2,
  fifo: 3,
  consoleSocket: 4,
  openNamespace: 5,
  setNamespace: 6,
  unshare: 7,
  idMaps: 8,
  idMapHelper: 9,
  oomScore: 10,
  joinCgroup: 11,
  resourceLimit: 12,
  hostHooks: 13,
  becomeRoot: 14,
  loopback: 15,
  hostname: 16,
  domainname: 17,
  keyring: 18,
  writeProc: 19,
  openTree: 20,
  cloneInRoot: 21,
  filesystem: 22,
  mountAttributes: 23,
  root: 24,
  attach: 25,
  device: 26,
  symlink: 27,
  mask: 28,
  directory: 29,
  console: 30,
  pivot: 31,
  session: 32,
  stdio: 33,
  closeFds: 34,
  noNewPrivileges: 35,
  bounding: 36,
  identity: 37,
  capabilities: 38,
  ambient: 39,
  umask: 40,
  directoryChange: 41,
  lookup: 42,
  parentDeath: 43,
  created: 44,
  waitStart: 45,
  seccomp: 46,
  exec: 47,
  exitFile: 48,
  notDumpable: 49,
  personality: 50,
  scheduler: 51,
  ioPriority: 52,
  legacyMount: 53,
  unmount: 54,
  userNamespace: 55,
  copyUp: 56,
  memoryPolicy: 57,
  writeChildProc: 58,
  deviceProgram: 59,
  openTarget: 60,
  joinTarget: 61,
  affinity: 62,
  pidfdSocket: 63,
  hook: 70,
  resultFifo: 71,
  netDevice: 72,
  listenerSocket: 73,
  hostCgroup: 74,
  criu: 75,
  notify: 76,
  lockedView: 77,
  openCgroup: 80,
  enterCgroup: 81,
} as const;

/** The name of a step. */
export type StepTag = keyof typeof stepTags;

/** The fields of steps: 0x1… are texts, 0x2… numbers, 0x3… bytes. */
export const fieldNames = {
  path: 0x1001,
  text: 0x1002,
  type: 0x1003,
  source: 0x1004,
  key: 0x1005,
  value: 0x1006,
  argument: 0x1007,
  variable: 0x1008,
  uidMap: 0x1009,
  gidMap: 0x100a,
  slot: 0x2001,
  flags: 0x2002,
  set: 0x2003,
  clear: 0x2004,
  propagation: 0x2005,
  recursive: 0x2006,
  mode: 0x2007,
  major: 0x2008,
  minor: 0x2009,
  uid: 0x200a,
  gid: 0x200b,
  number: 0x200c,
  soft: 0x200d,
  hard: 0x200e,
  effective: 0x200f,
  permitted: 0x2010,
  inheritable: 0x2011,
  height: 0x2012,
  width: 0x2013,
  idSlot: 0x2014,
  bytes: 0x3001,
} as const;

/** The name of a field. */
export type FieldName = keyof typeof fieldNames;

/** How the target of a mount is looked up and made. */
export const targetFlags = {
  directory: 1,
  file: 2,
  likeSource: 4,
  strict: 8,
  optional: 16,
  proc: 32,
  sourceProc: 64,
  keep: 128,
  mode: 256,
} as const;

/** Which process is cloned into a group of cgroup v2: the monitor's own child, or the init. */
export const birthFlags = { child: 1, init: 2 } as const;

export const deviceFlags = { bind: 1, default: 2 } as const;

/** `optional`, `replace`, `noPivot`, `noGroups` and `denyGroups` of the steps that have one flag. */
export const onlyFlag = 1;
/** A clone without what is mounted below. */
export const aloneFlag = 2;

/** Of the identity step: a joined user namespace may have given up setgroups(2). */
export const tryGroupsFlag = 2;

/** Attributes of mount_setattr(2). */
export const mountAttributes = {
  readonly: 0x1,
  nosuid: 0x2,
  nodev: 0x4,
  noexec: 0x8,
  noatime: 0x10,
  strictatime: 0x20,
  atimeMask: 0x70,
  nodiratime: 0x80,
  nosymfollow: 0x200000,
} as const;

/** Propagation types, which are flags of mount(2). */
export const propagationFlags = {
  unbindable: 0x20000,
  private: 0x40000,
  slave: 0x80000,
  shared: 0x100000,
} as const;

/** A change of attributes. */
export interface AttributeChange {
  readonly set: number;
  readonly clear: number;
}

/** A propagation type, for a mount or for all below it. */
export interface Propagation {
  readonly propagation: number;
  readonly recursive: boolean;
}

/** What the options of a mount mean. */
export interface MountOptions {
  readonly bind: false | 'one' | 'recursive';
  readonly attributes: AttributeChange;
  /** True when an option speaks of an attribute of the mount itself, if only to leave it as it is. */
  readonly hasAttributes: boolean;
  readonly recursiveAttributes: AttributeChange;
  readonly propagation: readonly Propagation[];
  /** Options of the superblock and the file system, `key` or `key=value`. */
  readonly data: readonly string[];
  readonly copyUp: boolean;
  readonly idMap: false | 'one' | 'recursive';
}

const { readonly, nosuid, nodev, noexec, noatime, strictatime, atimeMask, nodiratime, nosymfollow } =
  mountAttributes;

/** Attribute options; `[set, clear]`. */
const attributeOptions: Readonly<Record<string, readonly [number, number]>> = {
  ro: [readonly, 0],
  rw: [0, readonly],
  nosuid: [nosuid, 0],
  suid: [0, nosuid],
  nodev: [nodev, 0],
  dev: [0, nodev],
  noexec: [noexec, 0],
  exec: [0, noexec],
  nosymfollow: [nosymfollow, 0],
  symfollow: [0, nosymfollow],
};

/** Access time options of all mounts below. A policy replaces the one before. */
const recursiveTimeOptions: Readonly<Record<string, readonly [number, number]>> = {
  noatime: [noatime, atimeMask],
  atime: [0, atimeMask],
  relatime: [0, atimeMask],
  norelatime: [0, atimeMask],
  strictatime: [strictatime, atimeMask],
  nostrictatime: [0, atimeMask],
  nodiratime: [nodiratime, 0],
  diratime: [0, nodiratime],
};

/** What the access time options of a mount ask for. */
interface TimeOptions {
  readonly policy?: 'noatime' | 'relatime' | 'strictatime' | undefined;
  readonly nodiratime?: boolean;
}

/** Access time options, which are about each other: `atime` takes back `noatime`, not the policy of a bind mount's source. */
const timeOptions: Readonly<Record<string, (before: TimeOptions) => TimeOptions>> = {
  noatime: (before) => ({ ...before, policy: 'noatime' }),
  relatime: (before) => ({ ...before, policy: 'relatime' }),
  strictatime: (before) => ({ ...before, policy: 'strictatime' }),
  nodiratime: (before) => ({ ...before, nodiratime: true }),
  atime: (before) => withoutPolicy(before, 'noatime'),
  norelatime: (before) => withoutPolicy(before, 'relatime'),
  nostrictatime: (before) => withoutPolicy(before, 'strictatime'),
  diratime: (before) => ({ ...before, nodiratime: false }),
};

function withoutPolicy(before: TimeOptions, policy: TimeOptions['policy']): TimeOptions {
  return before.policy === policy ? { ...before, policy: undefined } : before;
}

/** As with mount(8): without a word of it access times are kept as they are, and else are exactly what is said. */
function withTimes(
  { set, clear }: AttributeChange,
  { policy, nodiratime: noDirectories }: TimeOptions,
): AttributeChange {
  if (policy === undefined && !noDirectories) return { set, clear };
  const bits = { noatime, relatime: 0, strictatime }[policy ?? 'relatime'];
  return noDirectories
    ? { set: set | bits | nodiratime, clear: clear | atimeMask }
    : { set: set | bits, clear: clear | atimeMask | nodiratime };
}

/** Options without effect: defaults, or of mount(8) alone. */
const ignored = new Set([
  'defaults',
  'remount',
  'async',
  'nolazytime',
  'nomand',
  'silent',
  'loud',
  'noiversion',
]);

/** Options of mount(8) that the kernel's file systems take as their own. */
const fileSystemOptions = ['sync', 'dirsync', 'lazytime', 'mand', 'iversion', 'acl', 'noacl'] as const;

/** Every option that is not the file system's own, sorted. */
export function mountOptionNames(): string[] {
  const names = [
    ...Object.keys(attributeOptions),
    ...Object.keys(timeOptions),
    ...Object.keys(propagationFlags),
  ];
  const others = ['bind', 'rbind', 'idmap', 'ridmap', 'tmpcopyup', ...fileSystemOptions];
  return [...new Set([...names, ...names.map((name) => `r${name}`), ...others, ...ignored])].sort();
}

function ownEntry<Value>(table: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function change({ set, clear }: AttributeChange, [more, less]: readonly [number, number]): AttributeChange {
  return { set: (set & ~less) | more, clear: (clear & ~more) | less };
}

function propagationOf(option: string): Propagation | undefined {
  for (const recursive of [false, true]) {
    const name = recursive && option.startsWith('r') ? option.slice(1) : option;
    if (Object.hasOwn(propagationFlags, name)) {
      return { propagation: propagationFlags[name as keyof typeof propagationFlags], recursive };
    }
  }
  return undefined;
}

/**
 * Reads the options of a mount (runtime-spec `config.md`, "Linux mount options"). What is none of them goes to the file
 * system, which refuses what it does not know.
 */
export function parseMountOptions(options: readonly string[]): MountOptions {
  let bind: MountOptions['bind'] = false;
  let idMap: MountOptions['idMap'] = false;
  let attributes: AttributeChange = { set: 0, clear: 0 };
  let times: TimeOptions = {};
  let hasAttributes = false;
  let recursiveAttributes: AttributeChange = { set: 0, clear: 0 };
  const propagation: Propagation[] = [];
  const data: string[] = [];
  for (const option of options) {
    const attribute = ownEntry(attributeOptions, option);
    const time = ownEntry(timeOptions, option);
    const below = option.startsWith('r') ? option.slice(1) : '';
    const belowAttribute = ownEntry(attributeOptions, below) ?? ownEntry(recursiveTimeOptions, below);
    const spread = propagationOf(option);
    hasAttributes ||= attribute !== undefined || time !== undefined;
    if (attribute !== undefined) attributes = change(attributes, attribute);
    else if (time !== undefined) times = time(times);
    else if (belowAttribute !== undefined) recursiveAttributes = change(recursiveAttributes, belowAttribute);
    else if (spread !== undefined) propagation.push(spread);
    else if (option === 'bind') bind = bind === 'recursive' ? bind : 'one';
    else if (option === 'rbind') bind = 'recursive';
    else if (option === 'idmap') idMap = 'one';
    else if (option === 'ridmap') idMap = 'recursive';
    else if (option !== 'tmpcopyup' && option !== '' && !ignored.has(option)) data.push(option);
  }
  const copyUp = options.includes('tmpcopyup');
  attributes = withTimes(attributes, times);
  return { bind, attributes, hasAttributes, recursiveAttributes, propagation, data, copyUp, idMap };
}

import { constants, notificationField } from '@ocijs/linux';

const { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } = constants;

/** Where a call has what it is about: numbers of arguments. */
interface CallForm {
  /** Who owns a file is told in the structure at this address. */
  readonly result?: number;
  readonly isStatx?: boolean;
  /** Who is to own a file: the user's id here, the group's in the next one. */
  readonly owner?: number;
  /** A descriptor, or the directory that a path begins in. */
  readonly descriptor?: number;
  readonly path?: number;
  readonly flags?: number;
  readonly mask?: number;
  /** A link at the end of the path is meant itself. */
  readonly isLink?: boolean;
}

interface CallTable {
  /** AUDIT_ARCH_…: `seccomp_data.arch`. */
  readonly audit: number;
  readonly forms: ReadonlyMap<number, CallForm>;
}

const at = {
  newfstatat: { descriptor: 0, path: 1, result: 2, flags: 3 },
  statx: { descriptor: 0, path: 1, flags: 2, mask: 3, result: 4, isStatx: true },
  fstat: { descriptor: 0, result: 1 },
  fchown: { descriptor: 0, owner: 1 },
  fchownat: { descriptor: 0, path: 1, owner: 2, flags: 4 },
} as const satisfies Readonly<Record<string, CallForm>>;

const tables: Readonly<Record<string, CallTable>> = {
  x64: {
    audit: 0xc000_003e,
    forms: new Map<number, CallForm>([
      [4, { path: 0, result: 1 }],
      [5, at.fstat],
      [6, { path: 0, result: 1, isLink: true }],
      [92, { path: 0, owner: 1 }],
      [93, at.fchown],
      [94, { path: 0, owner: 1, isLink: true }],
      [260, at.fchownat],
      [262, at.newfstatat],
      [332, at.statx],
    ]),
  },
  arm64: {
    audit: 0xc000_00b7,
    forms: new Map<number, CallForm>([
      [54, at.fchownat],
      [55, at.fchown],
      [79, at.newfstatat],
      [80, at.fstat],
      [291, at.statx],
    ]),
  },
};

/** The system calls that tell or change owners, on this processor; undefined where they are not known. */
export function ownerCalls(
  processor: string = process.arch,
): { readonly audit: number; readonly numbers: readonly number[] } | undefined {
  const table = Object.hasOwn(tables, processor) ? tables[processor] : undefined;
  return table && { audit: table.audit, numbers: [...table.forms.keys()] };
}

/** Which file a call is about. */
interface CallTarget {
  /** AT_FDCWD stands for the working directory. */
  readonly descriptor: number;
  /** Where the path is in the caller's memory; undefined for a call about the descriptor itself. */
  readonly path: number | undefined;
  /** An empty path is the descriptor itself. */
  readonly mayBeEmpty: boolean;
  readonly follows: boolean;
}

/** A call that tells who owns a file. */
export interface TellingCall extends CallTarget {
  readonly kind: 'tell';
  /** Where in the caller's memory to. */
  readonly result: number;
  /** Undefined for calls with `struct stat`. */
  readonly statx: { readonly flags: number; readonly mask: number } | undefined;
}

/** A call that changes who owns a file; an id of 4294967295 stays. */
export interface ChangingCall extends CallTarget {
  readonly kind: 'change';
  readonly uid: number;
  readonly gid: number;
  /** Works on descriptors that can be read or written only. */
  readonly needsOpenFile: boolean;
}

export type OwnerCall = TellingCall | ChangingCall;

/** Flags of statx(2) that say how, and not what. */
const statxFlags = 0x6000;
const noAutomount = 0x800;

/**
 * Reads which call a notification is about. Undefined for others, and for flags that are not known: those are the kernel's to
 * answer.
 */
export function readCall(notification: Buffer, processor: string = process.arch): OwnerCall | undefined {
  const table = tables[processor];
  if (notification.readUInt32LE(notificationField.architecture) !== table?.audit) return undefined;
  const form = table.forms.get(notification.readUInt32LE(notificationField.number));
  if (form === undefined) return undefined;
  const place = (index: number): number => notificationField.arguments + 8 * index;
  const address = (index: number): number => Number(notification.readBigUInt64LE(place(index)));
  const unsigned = (index: number): number => notification.readUInt32LE(place(index));
  const flags = form.flags === undefined ? 0 : unsigned(form.flags);
  const known =
    AT_EMPTY_PATH |
    AT_SYMLINK_NOFOLLOW |
    (form.owner === undefined ? noAutomount : 0) |
    (form.isStatx ? statxFlags : 0);
  if ((flags & ~known) !== 0) return undefined;
  const target: CallTarget = {
    descriptor: form.descriptor === undefined ? AT_FDCWD : notification.readInt32LE(place(form.descriptor)),
    path: form.path === undefined ? undefined : address(form.path),
    mayBeEmpty: (flags & AT_EMPTY_PATH) !== 0,
    follows: !form.isLink && (flags & AT_SYMLINK_NOFOLLOW) === 0,
  };
  if (form.owner !== undefined) {
    const [uid, gid] = [unsigned(form.owner), unsigned(form.owner + 1)];
    return { kind: 'change', ...target, uid, gid, needsOpenFile: form.path === undefined };
  }
  const mask = form.mask === undefined ? 0 : unsigned(form.mask);
  const statx = form.isStatx ? { flags: flags & statxFlags, mask } : undefined;
  return { kind: 'tell', ...target, result: address(form.result ?? 0), statx };
}

import type { TarWriteEntry, TarWriterEntry } from '@ocijs/image';
import * as linux from '@ocijs/linux';
import { readAttributes } from '../repack/attributes.ts';
import { entryType } from '../repack/disk-entry.ts';
import { createFileReader } from '../repack/file-body.ts';
import { isOpaque, isWhiteout, type OverlayForm } from '../rootfs/overlay/marks.ts';

const { AT_FDCWD, AT_SYMLINK_NOFOLLOW, O_DIRECTORY, O_NOFOLLOW } = linux.constants;

/** Options of {@link upperEntries}. */
export interface UpperEntriesOptions {
  readonly form: OverlayForm;
  /** No time is later than this, in nanoseconds since 1970. */
  readonly timeNs?: bigint | undefined;
  /** Paths, relative to the root, that are left out when nothing else is in them: places for mounts. */
  readonly without?: ReadonlySet<string> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What the upper directory of an overlay says as the entries of a layer: whiteouts and opaque directories become the marks
 * of the image specification, attributes of overlayfs are left out, names are in the order of their bytes. Sockets are in no layer.
 * The overlay must not be in use any more.
 */
export async function* upperEntries(
  directory: string,
  { form, timeNs, without = new Set(), signal }: UpperEntriesOptions,
): AsyncGenerator<TarWriteEntry> {
  using reader = createFileReader(directory, { unlock: false });
  const firstNames = new Map<bigint, string>();
  const clamp = (time: bigint): bigint => (timeNs !== undefined && time > timeNs ? timeNs : time);

  function* below(parent: number, path: string): Generator<TarWriteEntry> {
    signal?.throwIfAborted();
    for (const name of linux.listdir(parent).sort(byBytes)) {
      const at = path === '' ? name : `${path}/${name}`;
      const status = linux.fstatat(parent, name, { flags: AT_SYMLINK_NOFOLLOW });
      const type = entryType(status);
      if (type === undefined) continue;
      if (isWhiteout(status)) {
        yield {
          header: {
            ...named(path === '' ? `.wh.${name}` : `${path}/.wh.${name}`),
            mode: 0o600,
            mtimeNs: timeNs ?? 0n,
          },
        };
        continue;
      }
      const header = {
        ...named(at),
        type,
        mode: status.mode & 0o7777,
        uid: status.uid,
        gid: status.gid,
        mtimeNs: clamp(status.mtimeNs),
        xattrs: readAttributes(`/proc/self/fd/${parent}/${name}`),
      };
      if (type === 'directory') yield* inDirectory({ parent, name, at, header });
      else if (!without.has(at)) yield* file({ parent, name, at, header, status });
    }
  }

  function* inDirectory({ parent, name, at, header }: Omit<Found, 'status'>): Generator<TarWriteEntry> {
    const fd = linux.openat(parent, name, { flags: O_DIRECTORY | O_NOFOLLOW });
    try {
      const opaque = isOpaque(parent, name, form);
      const mark = { header: { ...named(`${at}/.wh..wh..opq`), mode: 0o600, mtimeNs: timeNs ?? 0n } };
      const inside = below(fd, at);
      // Looking one ahead tells whether anything is in it without holding it all.
      const first = inside.next();
      if (without.has(at) && first.done === true && !opaque) return;
      yield { header };
      if (opaque) yield mark;
      if (first.done !== true) yield first.value;
      yield* inside;
    } finally {
      linux.close(fd);
    }
  }

  function* file({ parent, name, at, header, status }: Found): Generator<TarWriteEntry> {
    const first = status.nlink > 1 ? firstNames.get(status.ino) : undefined;
    if (first !== undefined) {
      yield { header: { ...header, type: 'link', ...linked(first), xattrs: new Map() } };
      return;
    }
    if (status.nlink > 1) firstNames.set(status.ino, at);
    if (header.type === 'symlink') yield { header: { ...header, ...linked(linux.readlinkat(parent, name)) } };
    else if (header.type === 'file')
      yield {
        header: { ...header, size: status.size },
        body: status.size === 0 ? undefined : reader.body(at, status.size),
      };
    else yield { header: { ...header, deviceMajor: status.rdevMajor, deviceMinor: status.rdevMinor } };
  }

  const root = linux.openat(AT_FDCWD, directory, { flags: O_DIRECTORY | O_NOFOLLOW });
  try {
    yield* below(root, '');
  } finally {
    linux.close(root);
  }
}

interface Found {
  readonly parent: number;
  readonly name: string;
  readonly at: string;
  readonly header: TarWriterEntry;
  readonly status: linux.FileStatus;
}

function named(text: string): Pick<TarWriterEntry, 'name' | 'nameBytes'> {
  return text.isWellFormed() ? { name: text } : { name: text, nameBytes: linux.nameToBytes(text) };
}

function linked(text: string): Pick<TarWriterEntry, 'linkname' | 'linknameBytes'> {
  return text.isWellFormed()
    ? { linkname: text }
    : { linkname: text, linknameBytes: linux.nameToBytes(text) };
}

function byBytes(left: string, right: string): number {
  return Buffer.compare(linux.nameToBytes(left), linux.nameToBytes(right));
}

import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lgetxattr, llistxattr } from '@ocijs/linux';
import { ownerNoteName } from '../../spec/owner-note.ts';

/** A file as tests compare it; fields that do not apply to its type are absent. Notes of owners are left out. */
export interface Snapshot {
  readonly type: 'file' | 'dir' | 'symlink' | 'fifo' | 'char' | 'block';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly content?: string;
  readonly target?: string;
  readonly linkGroup?: string;
  readonly xattrs?: Readonly<Record<string, string>>;
}

/** Describes what is below a directory, by path. */
export function snapshot(directory: string): ReadonlyMap<string, Snapshot> {
  const found = new Map<string, Snapshot>();
  const groups = new Map<bigint, string>();
  const visit = (path: string): void => {
    const entry = describe(join(directory, path), { path, groups });
    found.set(path, entry);
    if (entry.type !== 'dir') return;
    for (const name of readdirSync(join(directory, path)).sort())
      visit(path === '.' ? name : `${path}/${name}`);
  };
  visit('.');
  return found;
}

/** The paths below a directory, without its top. */
export function paths(directory: string): readonly string[] {
  return [...snapshot(directory).keys()].filter((path) => path !== '.');
}

function describe(
  file: string,
  { path, groups }: { readonly path: string; readonly groups: Map<bigint, string> },
): Snapshot {
  const status = lstatSync(file, { bigint: true });
  const type = status.isFile()
    ? 'file'
    : status.isDirectory()
      ? 'dir'
      : status.isSymbolicLink()
        ? 'symlink'
        : status.isFIFO()
          ? 'fifo'
          : status.isCharacterDevice()
            ? 'char'
            : 'block';
  const group = groups.get(status.ino) ?? path;
  groups.set(status.ino, group);
  const names =
    type === 'file' || type === 'dir'
      ? llistxattr(file).filter((name) => name.startsWith('user.') && name !== ownerNoteName)
      : [];
  const xattrs = Object.fromEntries(
    names.sort().map((name) => [name, lgetxattr(file, name)?.toString() ?? '']),
  );
  return {
    type,
    mode: Number(status.mode) & 0o7777,
    uid: Number(status.uid),
    gid: Number(status.gid),
    mtime: Number(status.mtimeMs / 1000n),
    ...(type === 'file' ? { content: readFileSync(file, 'utf8') } : {}),
    ...(type === 'symlink' ? { target: readlinkSync(file) } : {}),
    ...(type !== 'dir' && status.nlink > 1n ? { linkGroup: group } : {}),
    ...(names.length > 0 ? { xattrs } : {}),
  };
}

/** A directory with `rootfs` to apply layers to and `outside`, which nothing may change. */
export interface Playground extends Disposable {
  readonly directory: string;
  readonly rootfs: string;
  readonly outside: string;
}

/** Makes a {@link Playground}; disposing removes it. */
export function playground(): Playground {
  const directory = mkdtempSync(join(tmpdir(), 'ocijs-rootfs-'));
  return {
    directory,
    rootfs: join(directory, 'rootfs'),
    outside: join(directory, 'outside'),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

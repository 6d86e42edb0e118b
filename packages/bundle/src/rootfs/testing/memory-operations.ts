import type { EntryKind, MetadataTarget, NamedEntry, RootfsOperations } from '../operations.ts';

/** A file of the file system in memory. */
export interface MemoryFile {
  kind: EntryKind;
  mode: number;
  uid: number;
  gid: number;
  atimeNs: bigint;
  mtimeNs: bigint;
  content: Buffer;
  target: string;
  readonly entries: Map<string, MemoryFile>;
  readonly attributes: Map<string, Uint8Array>;
}

/** Operations on a file system in memory that writes down every effect. */
export interface RecordingOperations extends RootfsOperations {
  /** One line for each effect, such as `makeDirectory etc`. Lookups are left out. */
  readonly effects: string[];
  readonly root: MemoryFile;
  /** Descriptors that are open. */
  readonly openCount: number;
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function createFile(kind: EntryKind, mode: number): MemoryFile {
  const empty = { uid: 0, gid: 0, atimeNs: 0n, mtimeNs: 0n, content: Buffer.of(), target: '' };
  return { kind, mode, ...empty, entries: new Map(), attributes: new Map() };
}

/** Starts with an empty root directory. */
export function recordingOperations(): RecordingOperations {
  const root = createFile('directory', 0o755);
  const open = new Map<number, { readonly file: MemoryFile; readonly path: string }>();
  const effects: string[] = [];
  let nextFd = 100;

  function add(file: MemoryFile, path: string): number {
    open.set(nextFd, { file, path });
    return nextFd++;
  }
  function opened(fd: number): { readonly file: MemoryFile; readonly path: string } {
    const found = open.get(fd);
    if (found === undefined) throw failure('EBADF');
    return found;
  }
  function pathOf({ directory, name }: NamedEntry): string {
    const { path } = opened(directory);
    return name === '.' ? path || '.' : path === '' ? name : `${path}/${name}`;
  }
  function find({ directory, name }: NamedEntry): MemoryFile | undefined {
    if (name.includes('/') || name === '..') throw new Error(`${name} is no single name`);
    const { file } = opened(directory);
    return name === '.' ? file : file.entries.get(name);
  }
  function get(entry: NamedEntry): MemoryFile {
    const file = find(entry);
    if (file === undefined) throw failure('ENOENT');
    return file;
  }
  function of(target: MetadataTarget): { readonly file: MemoryFile; readonly path: string } {
    return 'fd' in target ? opened(target.fd) : { file: get(target), path: pathOf(target) };
  }
  function insert(entry: NamedEntry, file: MemoryFile, effect: string): MemoryFile {
    if (find(entry) !== undefined) throw failure('EEXIST');
    effects.push(`${effect} ${pathOf(entry)}`);
    opened(entry.directory).file.entries.set(entry.name, file);
    return file;
  }
  function remove(entry: NamedEntry, effect: string): void {
    const file = get(entry);
    if ((effect === 'removeDirectory') !== (file.kind === 'directory')) throw failure('EISDIR');
    if (file.entries.size > 0) throw failure('ENOTEMPTY');
    effects.push(`${effect} ${pathOf(entry)}`);
    opened(entry.directory).file.entries.delete(entry.name);
  }

  return {
    effects,
    root,
    get openCount() {
      return open.size;
    },
    openRoot: () => add(root, ''),
    openDirectory: (directory, path) => {
      let { file } = opened(directory);
      for (const name of path.split('/')) {
        const next = file.entries.get(name);
        if (next === undefined) throw failure('ENOENT');
        if (next.kind !== 'directory') throw failure(next.kind === 'symlink' ? 'ELOOP' : 'ENOTDIR');
        file = next;
      }
      return add(file, pathOf({ directory, name: path }));
    },
    status: (entry) => find(entry),
    readLink: (entry) => get(entry).target,
    list: (directory) => [...opened(directory).file.entries.keys()],
    createFile: (entry, mode = 0o600) =>
      add(insert(entry, createFile('file', mode), 'createFile'), pathOf(entry)),
    write: (fd, bytes, position) => {
      const { file, path } = opened(fd);
      const start = position ?? file.content.length;
      effects.push(`write ${path} ${start}+${bytes.length}`);
      const content = Buffer.alloc(Math.max(file.content.length, start + bytes.length));
      file.content.copy(content);
      content.set(bytes, start);
      file.content = content;
    },
    resize: (fd, size) => {
      const { file, path } = opened(fd);
      effects.push(`resize ${path} ${size}`);
      file.content = Buffer.concat([file.content], size);
    },
    makeDirectory: (entry, mode = 0o700) =>
      void insert(entry, createFile('directory', mode), 'makeDirectory'),
    makeSymlink: (entry, target) => {
      insert(entry, createFile('symlink', 0o777), 'makeSymlink').target = target;
    },
    makeLink: (entry, newEntry) => void insert(newEntry, get(entry), `makeLink ${pathOf(entry)}`),
    makeNode: (entry, { type }) => void insert(entry, createFile('other', 0o600), `makeNode ${type}`),
    remove: (entry) => remove(entry, 'remove'),
    removeDirectory: (entry) => remove(entry, 'removeDirectory'),
    setOwner: (target, { uid, gid }) => {
      const { file, path } = of(target);
      effects.push(`setOwner ${path} ${uid}:${gid}`);
      Object.assign(file, { uid, gid, mode: file.mode & 0o1777 });
    },
    setMode: (target, mode) => {
      const { file, path } = of(target);
      if (file.kind === 'symlink') throw failure('ENOTSUP');
      effects.push(`setMode ${path} ${mode.toString(8)}`);
      file.mode = mode;
    },
    setTimes: (target, { atimeNs, mtimeNs }) => {
      const { file, path } = of(target);
      effects.push(`setTimes ${path} ${mtimeNs}`);
      Object.assign(file, { atimeNs, mtimeNs });
    },
    listAttributes: (target) => [...of(target).file.attributes.keys()],
    setAttribute: (target, name, value) => {
      effects.push(`setAttribute ${of(target).path} ${name}`);
      of(target).file.attributes.set(name, value);
    },
    removeAttribute: (target, name) => {
      effects.push(`removeAttribute ${of(target).path} ${name}`);
      of(target).file.attributes.delete(name);
    },
    close: (fd) => {
      if (!open.delete(fd)) throw failure('EBADF');
    },
  };
}

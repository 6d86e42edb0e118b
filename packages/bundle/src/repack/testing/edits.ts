import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import * as linux from '@ocijs/linux';
import type { Random } from './random.ts';

/** One change of a tree; what it cannot do on the chosen file it leaves. */
type Edit = (place: Place) => void;

interface Place {
  readonly rootfs: string;
  readonly random: Random;
  readonly owners: boolean;
  /** Some path of the tree, of the wanted kind. */
  some(kind: 'any' | 'file' | 'directory' | 'leaf'): string | undefined;
  /** A name that is free, in some directory. */
  fresh(): string;
}

const edits: Readonly<Record<string, Edit>> = {
  create: ({ fresh, random }) => writeFileSync(fresh(), `new ${random.below(1e9)}`),
  empty: ({ fresh }) => writeFileSync(fresh(), ''),
  large: ({ fresh, random }) => writeFileSync(fresh(), Buffer.alloc(3_000_000, String(random.below(1e9)))),
  directory: ({ fresh }) => mkdirSync(fresh()),
  symlink: ({ fresh, random }) =>
    symlinkSync(random.pick(['/nowhere/at/all', 'not/there', 'gone', 'a b']) ?? '', fresh()),
  fifo: ({ fresh }) =>
    linux.mknodat(linux.constants.AT_FDCWD, fresh(), { mode: linux.constants.S_IFIFO | 0o644 }),
  append: ({ some }) => on(some('file'), (path) => appendFileSync(path, 'more')),
  rewrite: ({ some, random }) =>
    on(some('file'), (path) => {
      // The same size and time: nothing but the content tells.
      const { atimeNs, mtimeNs } = statSync(path, { bigint: true });
      const bytes = readFileSync(path);
      if (bytes.length > 0) bytes[random.below(bytes.length)] = 65 + random.below(26);
      writeFileSync(path, bytes);
      linux.utimensat(linux.constants.AT_FDCWD, path, { atimeNs, mtimeNs });
    }),
  touch: ({ some, random }) =>
    on(some('any'), (path) => lutimesSync(path, 1, 1_500_000_000 + random.below(1e8))),
  truncate: ({ some }) => on(some('file'), (path) => truncateSync(path, 60)),
  remove: ({ some }) => on(some('any'), (path) => rmSync(path, { recursive: true })),
  mode: ({ some, random }) =>
    on(some('any'), (path) => {
      if (!lstatSync(path).isSymbolicLink())
        chmodSync(path, random.pick([0o755, 0o700, 0o4711, 0o1777, 0o640, 0o2755]) ?? 0);
    }),
  owner: ({ some, random, owners }) =>
    on(owners ? some('any') : undefined, (path) =>
      lchownSync(path, random.below(3000), random.below(70_000)),
    ),
  attribute: ({ some, random }) =>
    on(some('leaf'), (path) => {
      if (lstatSync(path).isFile())
        linux.lsetxattr(path, { name: 'user.test', value: Buffer.from(String(random.below(100))) });
    }),
  link: ({ some, fresh }) => on(some('file'), (path) => linkSync(path, fresh())),
  tear: ({ some }) =>
    on(some('file'), (path) => {
      const { atimeNs, mtimeNs, mode } = statSync(path, { bigint: true });
      copyFileSync(path, `${path}.torn`);
      renameSync(`${path}.torn`, path);
      chmodSync(path, Number(mode) & 0o7777);
      linux.utimensat(linux.constants.AT_FDCWD, path, { atimeNs, mtimeNs });
    }),
  rename: ({ some, fresh }) =>
    on(some('any'), (path) => {
      const target = fresh();
      if (!target.startsWith(`${path}/`)) renameSync(path, target);
    }),
  swap: ({ some, rootfs }) =>
    on(some('any'), (one) =>
      on(some('any'), (two) => {
        if (one === two || one.startsWith(`${two}/`) || two.startsWith(`${one}/`)) return;
        const aside = join(rootfs, '.aside');
        renameSync(one, aside);
        renameSync(two, one);
        renameSync(aside, two);
      }),
    ),
  retype: ({ some, random }) =>
    on(some('any'), (path) => {
      const wasDirectory = lstatSync(path).isDirectory();
      rmSync(path, { recursive: true });
      if (wasDirectory) writeFileSync(path, 'was a directory');
      else if (random.below(2) === 0) symlinkSync('elsewhere', path);
      else mkdirSync(path);
    }),
  replaceDirectory: ({ some }) =>
    on(some('directory'), (path) => {
      rmSync(path, { recursive: true });
      mkdirSync(path);
      writeFileSync(join(path, 'only'), basename(path));
    }),
};

function on(path: string | undefined, action: (path: string) => void): void {
  if (path !== undefined && (existsSync(path) || lstatSync(path, { throwIfNoEntry: false }) !== undefined))
    action(path);
}

/** Makes some changes in a root file system, and says which. */
export function editRandomly(
  rootfs: string,
  { random, owners }: { readonly random: Random; readonly owners: boolean },
): readonly string[] {
  const done: string[] = [];
  const place: Place = {
    rootfs,
    random,
    owners,
    some: (kind) => random.pick(pathsOf(rootfs, kind)),
    fresh: () =>
      join(random.pick([rootfs, ...pathsOf(rootfs, 'directory')]) ?? rootfs, `n${random.below(1e6)}`),
  };
  for (let count = 1 + random.below(8); count > 0; count -= 1) {
    const name = random.pick(Object.keys(edits)) ?? '';
    edits[name]?.(place);
    done.push(name);
  }
  return done;
}

/** Looks into directories only, never through links: what these lead to is not ours to change. */
function pathsOf(directory: string, kind: 'any' | 'file' | 'directory' | 'leaf'): string[] {
  const found: string[] = [];
  for (const name of readdirSync(directory).sort()) {
    const path = join(directory, name);
    const status = lstatSync(path);
    const isWanted =
      kind === 'any' ||
      (kind === 'file' && status.isFile()) ||
      (kind === 'directory' && status.isDirectory()) ||
      (kind === 'leaf' && !status.isDirectory());
    if (isWanted) found.push(path);
    if (status.isDirectory()) found.push(...pathsOf(path, kind));
  }
  return found;
}

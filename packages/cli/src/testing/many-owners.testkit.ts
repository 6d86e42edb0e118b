import { execFile } from 'node:child_process';
import { chmod, copyFile, lchown, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TestHome } from './oci.testkit.ts';
import { archiveOf } from './owned-image.testkit.ts';

const execute = promisify(execFile);
const applets = [
  ...[
    'sh',
    'cat',
    'chmod',
    'chown',
    'cp',
    'echo',
    'env',
    'find',
    'id',

    'ln',
    'ls',
    'mkdir',
    'mkfifo',
  ],
  ...['mv', 'rm', 'seq', 'sleep', 'sort', 'stat', 'tail', 'tar', 'test', 'touch', 'true', 'wc', 'xargs'],
];

interface Owned {
  readonly path: string;
  readonly owner: readonly [number, number];
  readonly mode?: number;
  /** Where a link leads. */
  readonly link?: string;
  readonly isDirectory?: boolean;
}

/** What is in the image besides busybox. */
const files: readonly Owned[] = [
  { path: 'srv', owner: [0, 0], isDirectory: true },
  { path: 'srv/www', owner: [33, 33], mode: 0o2755, isDirectory: true },
  { path: 'srv/www/page', owner: [33, 33], mode: 0o644 },
  { path: 'srv/www/sealed', owner: [33, 42], mode: 0o444 },
  { path: 'srv/shadow', owner: [0, 42], mode: 0o640 },
  { path: 'srv/program', owner: [7, 0], mode: 0o4755 },
  { path: 'srv/unreadable', owner: [5, 6], mode: 0 },
  { path: 'srv/plain', owner: [0, 0], mode: 0o600 },
  { path: 'srv/large', owner: [65_533, 60_000], mode: 0o600 },
  { path: 'srv/link', owner: [33, 34], link: 'www/page' },
  { path: 'srv/absolute', owner: [0, 0], link: '/srv/shadow' },
  { path: 'srv/loop', owner: [0, 0], link: 'loop' },
  { path: 'srv/outside', owner: [0, 0], link: '../../../../../../../../srv/shadow' },
];

/** The program that makes unusual calls. */
async function compileCalls(path: string): Promise<void> {
  const source = fileURLToPath(new URL('./owner-calls.c', import.meta.url));
  await execute('cc', ['-static', '-O1', '-pthread', '-o', path, source]);
}

/** Makes an archive with an image `base`, whose files in /srv belong to many users. */
export async function manyOwnersImage(home: TestHome): Promise<string> {
  const context = join(home.directory, 'many');
  const rootfs = join(context, 'rootfs');
  for (const name of ['bin', 'etc', 'tmp']) await mkdir(join(rootfs, name), { recursive: true });
  const { stdout } = await execute('sh', ['-c', 'command -v busybox']);
  await copyFile(stdout.trim(), join(rootfs, 'bin/busybox'));
  for (const name of applets) await symlink('busybox', join(rootfs, 'bin', name));
  await writeFile(join(rootfs, 'etc/passwd'), 'root:x:0:0::/:\napp:x:33:33::/:\n');
  await writeFile(join(rootfs, 'etc/group'), 'root:x:0:\napp:x:33:\nshadow:x:42:\n');
  await compileCalls(join(rootfs, 'bin/calls'));
  for (const { path, owner, mode, link, isDirectory } of files) {
    const file = join(rootfs, path);
    if (isDirectory) await mkdir(file);
    else if (link !== undefined) await symlink(link, file);
    else await writeFile(file, path);
    await lchown(file, ...owner);
    if (mode !== undefined) await chmod(file, mode);
  }
  await execute('tar', ['-C', rootfs, '--numeric-owner', '-cf', join(context, 'rootfs.tar'), '.']);
  await writeFile(join(context, 'Dockerfile'), 'FROM scratch\nADD rootfs.tar /\n');
  return archiveOf(home, context);
}

import { chmod, copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { directoryEntries } from '@ocijs/bundle';
import { buildLayer, openStore, writeImage } from '@ocijs/image';
import { output } from './command.ts';
import { findCommand } from './requirements.ts';
import { temporaryDirectory } from './temporary.ts';

/** Writes an image with this Node and busybox into a store. */
export async function nodeImage(name: string, { store }: { readonly store: string }): Promise<void> {
  await using temporary = await temporaryDirectory();
  await nodeRootfs(temporary.path);
  await using opened = await openStore(store);
  // Compressing it would take longer than most tests.
  const layer = await buildLayer(directoryEntries(temporary.path), { compression: 'none' });
  await writeImage(opened, {
    name,
    layers: [layer],
    config: { Env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'HOME=/root'] },
  });
}

/** Makes a root file system with this Node, the libraries that it needs, and busybox. */
async function nodeRootfs(directory: string): Promise<void> {
  const bin = join(directory, 'bin');
  for (const path of ['bin', 'usr/bin', 'etc', 'tmp', 'root', 'proc', 'sys', 'dev'])
    await mkdir(join(directory, path), { recursive: true });
  await copyFile(findCommand('busybox') ?? '', join(bin, 'busybox'));
  for (const name of ['sh', 'cat', 'ln', 'ls', 'mkdir', 'env']) await symlink('busybox', join(bin, name));
  await symlink('../../bin/busybox', join(directory, 'usr/bin/env'));
  await copyFile(process.execPath, join(bin, 'node'));
  await chmod(join(bin, 'node'), 0o755);
  const libraries = await output('ldd', [process.execPath]);
  for (const [path] of libraries.matchAll(/\/\S+\.so\S*/g)) {
    await mkdir(join(directory, dirname(path)), { recursive: true });
    await copyFile(path, join(directory, path));
  }
  await writeFile(join(directory, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
}

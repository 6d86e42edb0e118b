import { chmod, copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { output } from './command.ts';
import { findCommand } from './requirements.ts';

/** Makes a root file system with this Node, the libraries that it needs, and busybox. */
export async function nodeRootfs(directory: string): Promise<void> {
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

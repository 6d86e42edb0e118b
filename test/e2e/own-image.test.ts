import assert from 'node:assert/strict';
import { chmod, copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createLayout } from '@ocijs/image';
import { output } from '../kit/command.ts';
import { busyboxImage } from '../kit/images.ts';
import { oci, ociHome } from '../kit/oci.ts';
import { findCommand, missing } from '../kit/requirements.ts';
import { temporaryDirectory } from '../kit/temporary.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));
const skip = missing({ root: true, commands: ['busybox', 'ldd'] });

/** A root file system with this Node, the libraries that it needs, and busybox. */
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

test('this project builds its own image, runs in it, and unpacks an image there', {
  skip,
  timeout: 300_000,
}, async () => {
  await using temporary = await temporaryDirectory();
  const directory = temporary.path;
  const home = ociHome(directory);
  const run = async (...args: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await oci(home, args, { timeoutMs: 200_000 });
    assert.equal(status, 0, `oci ${args.join(' ')}: ${stderr}${stdout}`);
    return stdout;
  };
  const rootfs = join(directory, 'rootfs');
  await nodeRootfs(rootfs);
  await writeFile(join(directory, 'Dockerfile'), 'FROM scratch\nCOPY . /\nENV HOME=/root\n');
  await run('build', '-q', '-f', join(directory, 'Dockerfile'), '-t', 'local-node', rootfs);
  await run('build', '-q', '--build-arg', 'BASE=local-node', '-t', 'oci-itself', project);

  const [host, inside] = [await run('--version'), await run('run', '--rm', 'oci-itself', '--version')];
  assert.equal(inside.split(' ')[0], host.split(' ')[0]);

  const shared = join(directory, 'shared');
  await mkdir(shared);
  {
    await using layout = await createLayout(join(shared, 'layout'));
    await busyboxImage(layout, 'small');
  }
  const script =
    'oci unpack --quiet oci:/shared/layout:small /tmp/bundle && cat /tmp/bundle/rootfs/etc/motd && ls /tmp/bundle';
  const shown = await run(
    ...['run', '--rm', '-v', `${shared}:/shared`, '--entrypoint', 'sh', 'oci-itself', '-c', script],
  );
  assert.match(shown, /hello\nconfig\.json\noci\.json\noci\.layers\nrootfs\n$/);
});

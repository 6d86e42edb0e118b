import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestHome } from './oci.testkit.ts';
import { type OrdinaryUser, type OrdinaryUserOptions, ordinaryUser } from './ordinary-user.testkit.ts';

const execute = promisify(execFile);
const applets = ['sh', 'cat', 'chown', 'id', 'mount', 'rm', 'sleep', 'stat', 'touch'];
const dockerfile = [
  'FROM scratch',
  'COPY rootfs /',
  'COPY --chown=7:8 --chmod=600 file /owned',
  'COPY --chmod=000 file /locked',
].join('\n');

/** Makes an archive with an image `base`, in which files belong to others than root, and one may be read by root alone. */
export async function ownedImage(home: TestHome): Promise<string> {
  const context = join(home.directory, 'context');
  for (const name of ['bin', 'etc']) await mkdir(join(context, 'rootfs', name), { recursive: true });
  const { stdout } = await execute('sh', ['-c', 'command -v busybox']);
  await copyFile(stdout.trim(), join(context, 'rootfs/bin/busybox'));
  for (const name of applets) await symlink('busybox', join(context, 'rootfs/bin', name));
  await writeFile(join(context, 'rootfs/etc/passwd'), 'root:x:0:0::/:\napp:x:7:8::/:\n');
  await writeFile(join(context, 'file'), 'a file');
  await writeFile(join(context, 'Dockerfile'), dockerfile);
  return archiveOf(home, context);
}

/** Builds `base`, and makes an archive with it that every user may read. */
export async function archiveOf(home: TestHome, context: string): Promise<string> {
  await chmod(home.directory, 0o755);
  const archive = join(home.directory, 'base.tar');
  for (const line of [
    ['build', '-q', '-t', 'base', context],
    ['copy', 'base', `oci-archive:${archive}:base`],
  ]) {
    const { status, stderr } = await home.oci(...line);
    assert.equal(status, 0, stderr);
  }
  await chmod(archive, 0o644);
  return archive;
}

/** A user who has the image of {@link ownedImage}. */
export async function userWithImage(
  home: TestHome,
  { archive, ...options }: OrdinaryUserOptions & { readonly archive: string },
): Promise<OrdinaryUser> {
  const user = await ordinaryUser(home, options);
  await said(user, 'load', '-q', '--name', 'base', '-i', archive);
  return user;
}

/** What a command line prints that must succeed. */
export async function said(user: OrdinaryUser, ...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await user.oci(...args);
  assert.equal(status, 0, `oci ${args.join(' ')}: ${stderr}${stdout}`);
  return stdout;
}

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { busyboxRootfs } from '../kit/busybox.ts';
import { type CommandResult, command } from '../kit/command.ts';
import { missing } from '../kit/requirements.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../kit/temporary.ts';
import { runtimeWrapper } from './wrapper.ts';

const skip = missing({ root: true, commands: ['buildah', 'busybox'] });

describe('buildah', { skip }, () => {
  let directory: TemporaryDirectory;
  let runtime: string;
  let container: string;
  const buildah = (
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<CommandResult> => {
    const { path } = directory;
    const own = ['--root', `${path}/storage`, '--runroot', `${path}/run`, '--storage-driver', 'vfs'];
    return command('buildah', [...own, ...args], { env: { ...process.env, ...env } });
  };
  const works = ({ status, stdout, stderr }: CommandResult): string => {
    assert.equal(status, 0, stderr);
    return stdout.trim();
  };

  before(async () => {
    directory = await temporaryDirectory();
    runtime = await runtimeWrapper(directory.path);
    const rootfs = await busyboxRootfs(directory.path);
    container = works(await buildah(['from', '--ulimit', 'nofile=1000:1000', 'scratch']));
    works(await buildah(['copy', container, rootfs, '/']));
  });
  after(async () => {
    await buildah(['rm', '--all']);
    await directory[Symbol.asyncDispose]();
  });

  test('run --runtime: output, exit code, and what was written stays', async () => {
    const flags = ['run', '--isolation', 'oci', '--runtime', runtime];
    assert.equal(
      works(await buildah([...flags, container, '--', 'sh', '-c', 'echo hello | busybox tee /made'])),
      'hello',
    );
    assert.equal((await buildah([...flags, container, '--', 'sh', '-c', 'exit 6'])).status, 6);
    assert.equal(works(await buildah([...flags, container, '--', 'cat', '/made'])), 'hello');
  });

  test('BUILDAH_RUNTIME: as another user, in another directory', async () => {
    const env = { BUILDAH_RUNTIME: runtime, BUILDAH_ISOLATION: 'oci' };
    const words = [
      'run',
      '--user',
      '1000:1000',
      '--workingdir',
      '/tmp',
      container,
      '--',
      'sh',
      '-c',
      'id -u; busybox pwd',
    ];
    assert.equal(works(await buildah(words, env)), '1000\n/tmp');
  });
});

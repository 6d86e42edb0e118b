import assert from 'node:assert/strict';
import { readFileSync, readlinkSync } from 'node:fs';
import { release } from 'node:os';
import { test } from 'node:test';
import { busyboxBundle, cannotRunAsRoot, leftovers, testId } from '../testing/busybox-bundle.ts';
import { create } from './create.ts';
import { prepareExec } from './exec.ts';
import { remove } from './remove.ts';
import { start } from './start.ts';
import { state } from './state.ts';

const [major = 0, minor = 0] = release().split('.').map(Number);
const skip = cannotRunAsRoot() || (major > 6 || (major === 6 && minor >= 15) ? false : 'needs Linux 6.15');
const stdio = ['ignore', 'ignore', 'ignore'] as const;

test('without a mount namespace of its own a container is in that of the host, which sees nothing of its mounts', {
  skip,
}, async () => {
  using bundle = busyboxBundle(
    'echo seen >/tmp/file; test -d /proc/1 && echo proc >>/tmp/file; exec sleep 1000',
  );
  bundle.change((spec) => {
    spec.linux.namespaces = spec.linux.namespaces?.filter(({ type }) => type !== 'mount') ?? [];
    if (spec.root) spec.root.readonly = false;
  });
  const [id, { root, directory }] = [testId(), bundle];
  const before = readFileSync('/proc/self/mountinfo', 'utf8');
  try {
    const { pid } = await create(id, { bundle: directory, root, stdio });
    assert.equal(readlinkSync(`/proc/${pid}/ns/mnt`), readlinkSync('/proc/self/ns/mnt'));
    assert.equal(
      readFileSync('/proc/self/mountinfo', 'utf8').includes(directory),
      before.includes(directory),
    );
    await start(id, { root });
    while (state(id, { root }).status === 'created') await new Promise((resolve) => setTimeout(resolve, 5));
    const process = { args: ['true'], cwd: '/', user: { uid: 0, gid: 0 } };
    await assert.rejects(prepareExec(id, { root, process, stdio, lifetime: 'attached' }), {
      message: /without a mount namespace/,
    });
    const file = (): string => {
      try {
        return readFileSync(`${directory}/rootfs/tmp/file`, 'utf8');
      } catch {
        return ''; // not yet
      }
    };
    const deadline = Date.now() + 120_000;
    while (file() !== 'seen\nproc\n' && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(file(), 'seen\nproc\n');
  } finally {
    await remove(id, { root, force: true });
  }
  assert.deepEqual(leftovers(bundle), []);
});

import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { IdMapping } from '@ocijs/bundle/spec';
import { type Container, launch } from '../container.ts';
import { readRecord } from '../state/store.ts';
import {
  busyboxBundle,
  cannotRun,
  cannotRunAsRoot,
  leftovers,
  type TestBundle,
  testId,
} from '../testing/busybox-bundle.ts';
import { addMounts, removeMounts } from './mounts.ts';

const skip = cannotRun();

async function started(bundle: TestBundle): Promise<Container> {
  return await launch(bundle.directory, { id: testId(), root: bundle.root, stdio: 'ignore' });
}

async function output(container: Container, script: string): Promise<string> {
  await using process = await container.exec({
    args: ['sh', '-c', script],
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err] = await Promise.all(
    [process.stdout, process.stderr].map((stream) => text(stream as Readable)),
  );
  return `${out}${err}`;
}

test('mounts come and go in a running container', { skip }, async () => {
  using bundle = busyboxBundle('exec sleep 1000');
  const source = join(bundle.directory, 'shared');
  mkdirSync(source);
  writeFileSync(join(source, 'file'), 'of the host\n');
  {
    await using container = await started(bundle);
    const { id } = container;
    const options = { root: bundle.root };
    const mounts = [
      { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['size=64k', 'nosuid'] },
      { destination: '/tmp/shared', type: 'bind', source: 'shared', options: ['rbind', 'ro'] },
    ];
    await addMounts(id, mounts, options);
    assert.equal(await output(container, 'cat /tmp/shared/file'), 'of the host\n');
    assert.match(await output(container, 'echo >/tmp/shared/x'), /Read-only file system/);
    assert.match(await output(container, 'busybox grep " /tmp " /proc/mounts'), /nosuid.*size=64k/);
    assert.equal(readRecord(bundle.root, id)?.spec.mounts?.at(-1)?.destination, '/tmp/shared');
    await removeMounts(id, [{ destination: '/tmp/shared' }, { destination: '/tmp' }], options);
    assert.equal(await output(container, 'ls -A /tmp'), '');
    await assert.rejects(removeMounts(id, [{ destination: '/tmp' }], options), {
      code: 'ERR_OCI_INIT_FAILED',
      message: /cannot unmount "\/tmp": invalid argument/,
    });
    await assert.rejects(
      addMounts(id, [{ destination: '/x', type: 'bind', source: '/nonexistent' }], options),
      {
        message: /cannot open "\/nonexistent": no such file or directory/,
      },
    );
  }
  assert.deepEqual(leftovers(bundle), []);
});

test('a destination of the image leads nowhere but into the container', { skip }, async () => {
  using bundle = busyboxBundle('exec sleep 1000');
  const outside = join(bundle.directory, 'outside');
  mkdirSync(outside);
  symlinkSync(outside, join(bundle.directory, 'rootfs/leaving'));
  bundle.change((spec) => {
    if (spec.root) spec.root.readonly = false;
  });
  await using container = await started(bundle);
  const mounts = [{ destination: '/leaving/new', type: 'tmpfs', source: 'tmpfs' }];
  await addMounts(container.id, mounts, { root: bundle.root });
  assert.deepEqual(readdirSync(outside), []);
  assert.match(await output(container, 'cat /proc/mounts'), new RegExp(` ${outside}/new tmpfs `));
});

test('owners of added mounts are shifted', { skip: cannotRunAsRoot() }, async () => {
  using bundle = busyboxBundle('exec sleep 1000');
  const source = join(bundle.directory, 'shared');
  mkdirSync(join(source, 'below'), { recursive: true });
  mkdirSync(join(bundle.directory, 'rootfs/mapped'));
  chownSync(source, 1000, 2000);
  chownSync(join(source, 'below'), 1000, 2000);
  await using container = await started(bundle);
  const options = { root: bundle.root };
  const maps = (containerID: number): IdMapping[] => [{ containerID, hostID: 5000, size: 10 }];
  const mapped = {
    destination: '/mapped',
    type: 'bind',
    source,
    options: ['rbind', 'ridmap'],
    uidMappings: maps(1000),
    gidMappings: maps(2000),
  };
  await addMounts(container.id, [mapped], options);
  const owners = await output(container, 'busybox stat -c %u:%g /mapped /mapped/below');
  assert.equal(owners, '5000:5000\n5000:5000\n');
  await removeMounts(container.id, [mapped], options);
  const { uidMappings: _, ...incomplete } = mapped;
  await assert.rejects(addMounts(container.id, [incomplete], options), { code: 'ERR_OCI_SPEC_CONFLICT' });
});

test('added mounts take the maps of the container', { skip: cannotRunAsRoot() }, async () => {
  using bundle = busyboxBundle('exec sleep 1000');
  const source = join(bundle.directory, 'shared');
  mkdirSync(source);
  chownSync(source, 7, 7);
  const maps = [{ containerID: 0, hostID: 100000, size: 65536 }];
  bundle.change(({ linux }) => {
    linux.namespaces = [...(linux.namespaces ?? []), { type: 'user' }];
    Object.assign(linux, { uidMappings: maps, gidMappings: maps });
  });
  for (const path of [bundle.directory, join(bundle.directory, 'rootfs')]) chmodSync(path, 0o755);
  await using container = await started(bundle);
  const mount = { destination: '/tmp', type: 'bind', source, options: ['bind', 'idmap'] };
  await addMounts(container.id, [mount], { root: bundle.root });
  assert.equal(await output(container, 'busybox stat -c %u:%g /tmp'), '7:7\n');
});

test("an added procfs shows the container's processes, not the host's", { skip }, async () => {
  using bundle = busyboxBundle('exec sleep 1000');
  await using container = await started(bundle);
  const mount = { destination: '/tmp', type: 'proc', source: 'proc' };
  await addMounts(container.id, [mount], { root: bundle.root });
  assert.equal(await output(container, 'tr "\\0" " " </tmp/1/cmdline'), 'sleep 1000 ');
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { containerHome, containerImage, skipContainers } from '../testing/containers.testkit.ts';
import { deviceEdits } from './devices.ts';

test('a directory is all devices in it and below, and nothing else', { skip: skipContainers }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'oci-devices-'));
  try {
    await mkdir(join(directory, 'sub/empty'), { recursive: true });
    await writeFile(join(directory, 'file'), '');
    await symlink('/dev/zero', join(directory, 'link'));
    execFileSync('mknod', [join(directory, 'null'), 'c', '1', '3']);
    execFileSync('mknod', ['-m', '640', join(directory, 'sub/full'), 'c', '1', '7']);
    const request = { source: directory, destination: '/dev/these', access: 'r' };
    const { devices, rules, mounts } = await deviceEdits([request], { rootless: false });
    assert.deepEqual(
      devices.map(({ path, major, minor, fileMode }) => [path, major, minor, fileMode]).sort(),
      [
        ['/dev/these/null', 1, 3, devices.find(({ minor }) => minor === 3)?.fileMode],
        ['/dev/these/sub/full', 1, 7, 0o640],
      ],
    );
    assert.ok(rules.every(({ allow, access }) => allow && access === 'r'));
    assert.deepEqual(mounts, []);
    const own = await deviceEdits([request], { rootless: true });
    assert.deepEqual(own.mounts.map(({ destination }) => destination).sort(), [
      '/dev/these/null',
      '/dev/these/sub/full',
    ]);
    await assert.rejects(
      deviceEdits([{ ...request, source: join(directory, 'sub/empty') }], { rootless: false }),
      { code: 'ERR_OCI_USAGE', message: /without devices/ },
    );

    await using home = await containerHome();
    const script = 'for each in /dev/these/null /dev/these/sub/full; do test -c $each || exit 3; done';
    await home.ok('run', '--rm', '--device', `${directory}:/dev/these`, containerImage, 'sh', '-c', script);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

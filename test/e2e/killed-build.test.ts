import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { belongings, leftovers } from '../kit/leftovers.ts';
import { oci, ociHome, ociProgram } from '../kit/oci.ts';
import { findCommand, missing } from '../kit/requirements.ts';
import { temporaryDirectory } from '../kit/temporary.ts';

const skip = missing({ root: true, commands: ['busybox'] });

test('the next build removes the container, with its cgroup, of one that was killed', { skip }, async () => {
  await using temporary = await temporaryDirectory();
  const home = ociHome(temporary.path);
  const context = `${temporary.path}/context`;
  await mkdir(context);
  await copyFile(findCommand('busybox') ?? '', `${context}/busybox`);
  await writeFile(
    `${context}/Dockerfile`,
    'FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox", "sh", "-c", "echo it runs; exec /bin/busybox sleep 1000"]\n',
  );
  const found = belongings(temporary.path);
  const build = spawn(process.execPath, [ociProgram, 'build', '--progress', 'plain', context], {
    env: { ...process.env, OCI_STORE: home.store, OCI_ROOT: home.root },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(build, 'close');
  let output = '';
  for (const stream of [build.stdout, build.stderr])
    stream.on('data', (data) => {
      output += data;
    });
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  while (!/(?<!echo )it runs/.test(output)) {
    assert.ok(!isOver, output);
    await sleep(50);
  }
  const during = belongings(temporary.path);
  assert.ok(during.cgroups.some((path) => !found.cgroups.includes(path)));
  build.kill('SIGKILL');
  await ended;
  await writeFile(`${context}/Dockerfile`, 'FROM scratch\nCOPY busybox /bin/busybox\n');
  const next = await oci(home, ['build', context]);
  assert.equal(next.status, 0, next.stderr);
  assert.deepEqual(await readdir(`${home.store}/builds`), []);
  const { mounts, cgroups } = await leftovers(temporary.path, found);
  assert.deepEqual({ mounts, cgroups }, { mounts: [], cgroups: [] });
});

import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cannotRunAsRoot, leftovers } from '../testing/busybox-bundle.ts';
import { cannotCheckpoint, count, counting, countingBundle, until } from '../testing/checkpoints.ts';
import { main } from './main.ts';

async function run(...argv: string[]): Promise<{ readonly status: number; readonly err: string }> {
  let err = '';
  const status = await main(argv, {
    standardOutput: () => undefined,
    standardError: (text) => {
      err += text;
    },
  });
  return { status, err };
}

test('flags of checkpoint and restore are checked', { skip: cannotRunAsRoot() }, async () => {
  const cases: readonly (readonly [string[], RegExp])[] = [
    [['checkpoint', '--page-server', 'nowhere', 'x'], /Use --page-server ADDRESS:PORT/],
    [['checkpoint', '--page-server', '127.0.0.1:70000', 'x'], /Use --page-server ADDRESS:PORT/],
    [['checkpoint', '--manage-cgroups-mode', 'loose', 'x'], /manage.cgroups.mode/i],
    [['checkpoint', '--empty-ns', 'mount', 'x'], /cannot be left empty/],
    [['checkpoint', '--status-fd', 'one', 'x'], /invalid value \\"one\\" for flag -status-fd/],
    [['checkpoint'], /requires exactly 1 argument/],
    [['restore', '--empty-ns', 'mount', 'x'], /cannot be left empty/],
    [['restore', '--lsm-mount-context', 'x', 'x'], /not supported/],
    [['restore', '--parent-path', 'x', 'x'], /flag provided but not defined/],
    [['restore'], /requires exactly 1 argument/],
  ];
  for (const [argv, message] of cases) {
    const { status, err } = await run('--root', '/nonexistent/oci', ...argv);
    assert.equal(status, 1, argv.join(' '));
    assert.match(err, message);
  }
});

test('a container is written and restored by command', { skip: cannotCheckpoint() }, async () => {
  using bundle = countingBundle();
  const { root, directory, shared } = bundle;
  const id = await counting(bundle);
  const [images, work, pidFile] = ['images', 'work', 'pid'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  const places = ['--image-path', images, '--work-path', work];
  const handled = ['--tcp-established', '--ext-unix-sk', '--shell-job', '--file-locks', '--auto-dedup'];
  const own = (...argv: string[]): ReturnType<typeof run> => run('--root', root, ...argv);
  try {
    const left = await own('checkpoint', ...places, ...handled, '--leave-running', id);
    assert.deepEqual(left, { status: 0, err: '' });
    const running = count(shared);
    await until(() => count(shared) > running);
    rmSync(images, { recursive: true });
    const dump = ['--link-remap', '--tcp-skip-in-flight', '--manage-cgroups-mode', 'full'];
    assert.deepEqual(await own('checkpoint', ...places, ...handled, ...dump, id), { status: 0, err: '' });
    assert.equal((await own('state', id)).status, 1);
    const then = count(shared);
    const restore = [
      '--bundle',
      directory,
      '--pid-file',
      pidFile,
      '--no-subreaper',
      '--no-pivot',
      '--detach',
    ];
    assert.deepEqual(await own('restore', ...places, ...handled, ...restore, id), { status: 0, err: '' });
    await until(() => count(shared) > then);
    assert.ok(existsSync(`/proc/${readFileSync(pidFile, 'utf8')}`));
    assert.ok(existsSync(join(work, 'dump.log')) && existsSync(join(work, 'restore.log')));
  } finally {
    await own('delete', '--force', id);
  }
  assert.deepEqual(leftovers(bundle), []);
});

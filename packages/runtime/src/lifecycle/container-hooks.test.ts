import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Hook } from '@ocijs/bundle/spec';
import {
  busyboxBundle,
  cannotRunAsRoot,
  leftovers,
  type TestBundle,
  testId,
} from '../testing/busybox-bundle.ts';
import { create } from './create.ts';
import { remove } from './remove.ts';
import { run } from './run.ts';
import { start } from './start.ts';
import { state } from './state.ts';

const skip = cannotRunAsRoot();
const stdio = ['ignore', 'ignore', 'ignore'] as const;
const kinds = [
  'prestart',
  'createRuntime',
  'createContainer',
  'startContainer',
  'poststart',
  'poststop',
] as const;

function shell(script: string, rest: Partial<Hook> = {}): Hook {
  return { path: '/bin/sh', args: ['sh', '-c', script], env: ['PATH=/usr/bin:/bin'], ...rest };
}

/** A file that host and container see at the same path: the bundle's own directory is mounted there. */
function share(bundle: TestBundle): string {
  const shared = join(bundle.directory, 'shared');
  mkdirSync(shared);
  bundle.change((spec) => {
    spec.mounts = [...(spec.mounts ?? []), { destination: shared, source: shared, options: ['bind'] }];
  });
  return shared;
}

test('all six kinds run in their order, each with the state on its standard input', { skip }, async () => {
  using bundle = busyboxBundle('true');
  const shared = share(bundle);
  bundle.change((spec) => {
    spec.process.args = ['sh', '-c', `echo process >>${shared}/order`];
    spec.annotations = { 'org.example.text': 'with "quotes" and \n a line' };
    spec.hooks = Object.fromEntries(
      kinds.map((kind) => [
        kind,
        [1, 2].map((number) =>
          shell(`cat >${shared}/${kind}${number}; echo ${kind}${number} >>${shared}/order`),
        ),
      ]),
    );
  });
  const id = testId();
  await run(id, { bundle: bundle.directory, root: bundle.root, stdio });
  const order = readFileSync(join(shared, 'order'), 'utf8').trim().split('\n');
  const both = (...names: string[]): string[] => names.flatMap((name) => [`${name}1`, `${name}2`]);
  assert.deepEqual(
    order.filter((line) => !['process', 'poststart1', 'poststart2'].includes(line)),
    both('prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststop'),
  );
  assert.ok(order.indexOf('process') > order.indexOf('startContainer2'));
  assert.ok(order.indexOf('poststart1') > order.indexOf('startContainer2'));
  const seen = (file: string): Record<string, unknown> =>
    JSON.parse(readFileSync(join(shared, file), 'utf8')) as Record<string, unknown>;
  const common = {
    ociVersion: '1.2.0',
    id,
    bundle: bundle.directory,
    annotations: { 'org.example.text': 'with "quotes" and \n a line' },
  };
  for (const kind of ['createContainer', 'startContainer']) {
    // The process id is the one that the container sees.
    assert.deepEqual(seen(`${kind}1`), { ...common, status: 'created', pid: 1 });
  }
  const { pid, ...created } = seen('createRuntime1');
  assert.deepEqual(created, { ...common, status: 'created' });
  assert.ok(Number(pid) > 1);
  assert.equal(seen('poststart1')['status'], 'running');
  assert.deepEqual(seen('poststop1'), { ...common, status: 'stopped' });
  assert.deepEqual(leftovers(bundle), []);
});

test('createContainer sees the host, and what it mounts below the root is in the container', {
  skip,
}, async () => {
  using bundle = busyboxBundle('true');
  const shared = share(bundle);
  mkdirSync(join(bundle.directory, 'rootfs/extra'));
  bundle.change((spec) => {
    spec.process.args = ['sh', '-c', `cat /extra/file >${shared}/seen; exit 0`];
    spec.hooks = {
      createContainer: [
        shell('pwd >../shared/cwd; test -d proc/1 && mount -t tmpfs extra extra && echo hello >extra/file'),
      ],
    };
  });
  await run(testId(), { bundle: bundle.directory, root: bundle.root, stdio });
  assert.equal(readFileSync(join(shared, 'seen'), 'utf8'), 'hello\n');
  assert.equal(readFileSync(join(shared, 'cwd'), 'utf8').trim(), join(bundle.directory, 'rootfs'));
  assert.equal(existsSync(join(bundle.directory, 'rootfs/extra/file')), false);
  assert.deepEqual(leftovers(bundle), []);
});

test('startContainer has the container alone: its files, its user, no descriptor of ours', {
  skip,
}, async () => {
  using bundle = busyboxBundle('true');
  const shared = share(bundle);

  bundle.change((spec) => {
    spec.process.user = { uid: 1000, gid: 1000 };
    spec.hooks = {
      startContainer: [
        shell(
          `{ id -u; ls /proc/self/fd; env; test -e ${process.execPath} && echo host; true; } >>${shared}/seen`,
          {
            env: ['PATH=/bin', 'ONLY=this'],
          },
        ),
      ],
    };
  });
  writeFileSync(join(shared, 'seen'), '');
  chmodSync(join(shared, 'seen'), 0o666);
  await run(testId(), { bundle: bundle.directory, root: bundle.root, stdio });
  const lines = readFileSync(join(shared, 'seen'), 'utf8').trim().split('\n');
  // 3 is the directory that ls reads.
  assert.deepEqual(lines.slice(0, 5), ['1000', '0', '1', '2', '3']);
  assert.ok(lines.includes('ONLY=this'));
  assert.equal(lines.includes('host'), false);
});

for (const kind of kinds.slice(0, 5)) {
  test(`a failing ${kind} hook is an error and ends the container`, { skip }, async () => {
    using bundle = busyboxBundle('sleep 100');
    const { root, directory } = bundle;
    const shared = share(bundle);
    bundle.change((spec) => {
      spec.hooks = {
        [kind]: [shell('true'), shell('echo why; exit 3'), shell(`echo never >${shared}/never`)],
        poststop: [shell(`echo stopped >>${shared}/poststop`)],
      };
    });
    const isStart = kind === 'startContainer' || kind === 'poststart';
    const id = testId();
    if (isStart) await create(id, { bundle: directory, root, stdio });
    const failing = isStart ? start(id, { root }) : create(id, { bundle: directory, root, stdio });
    await assert.rejects(failing, {
      code: 'ERR_OCI_HOOK_FAILED',
      message: `error running ${kind} hook #1: exit status 3, output: why`,
    });
    assert.equal(existsSync(join(shared, 'never')), false);
    assert.equal(readFileSync(join(shared, 'poststop'), 'utf8'), 'stopped\n');
    assert.deepEqual(leftovers(bundle), []);
  });
}

for (const kind of ['createContainer', 'startContainer'] as const) {
  test(`a ${kind} hook that takes too long is killed, and one that is not there named`, {
    skip,
  }, async () => {
    using bundle = busyboxBundle('true');
    const { root, directory } = bundle;
    const fails = async (hook: Hook, message: string): Promise<void> => {
      bundle.change((spec) => {
        spec.hooks = { [kind]: [hook] };
      });
      await assert.rejects(run(testId(), { bundle: directory, root, stdio }), { message });
      assert.deepEqual(leftovers(bundle), []);
    };
    const start = `error running ${kind} hook #0: `;
    await fails(
      shell('sleep 600', { timeout: 1 }),
      `${start}killed by SIGKILL (it took longer than its timeout)`,
    );
    await fails({ path: '/does/not/exist' }, `${start}no such file or directory`);
    await fails(shell('kill -TERM $$'), `${start}killed by SIGTERM`);
  });
}

test('a hook may print much, ignore its input and leave a daemon behind', { skip }, async () => {
  using bundle = busyboxBundle('sleep 100');
  const { root, directory } = bundle;
  const hook = shell(
    'i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done; sleep 100 &',
  );
  bundle.change((spec) => {
    spec.annotations = { long: 'x'.repeat(200_000) };
    spec.hooks = { createContainer: [hook], startContainer: [hook] };
  });
  const id = testId();
  await create(id, { bundle: directory, root, stdio });
  assert.equal(state(id, { root }).status, 'created');
  await start(id, { root });
  assert.equal(state(id, { root }).status, 'running');
  await remove(id, { root, force: true });
  assert.deepEqual(leftovers(bundle), []);
});

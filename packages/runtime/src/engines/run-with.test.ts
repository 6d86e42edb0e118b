import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { busyboxBundle, cannotRunAsRoot, leftovers, type TestBundle } from '../testing/busybox-bundle.ts';
import { until } from '../testing/checkpoints.ts';
import { runWith } from './run-with.ts';

const cannot = cannotRunAsRoot();

/** This runtime, as a program. */
function ownProgram({ directory }: TestBundle): string {
  const program = join(directory, 'oci-runtime');
  const entry = fileURLToPath(new URL('../command-line/entry.ts', import.meta.url));
  const command = [process.execPath, '--conditions=source', entry].map((word) => `'${word}'`).join(' ');
  writeFileSync(program, `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
  return program;
}

/** crun looks for a group of every controller, and finds one or not as other tests use cgroups or not. */
function lacksHugetlb(): boolean {
  const mounts = readFileSync('/proc/self/mounts', 'utf8');
  return !/^\S+ \/sys\/fs\/cgroup cgroup2 /m.test(mounts) && !/ cgroup \S*\bhugetlb\b/.test(mounts);
}

function cannotRunWith(name: string): string | false {
  if (cannot) return cannot;
  if (name === 'crun' && lacksHugetlb()) return 'crun wants hugetlb groups mounted, which this host has not';
  if (spawnSync(name, ['--version']).status !== 0) return `needs ${name}`;
  using bundle = busyboxBundle('true');
  const { status, stderr } = spawnSync(
    name,
    ['--root', join(bundle.directory, 'state'), 'run', '-b', bundle.directory, `probe-${process.pid}`],
    { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] },
  );
  return status === 0 ? false : `${name} runs no container here: ${stderr.trim()}`;
}

for (const name of ['runc', 'crun', 'ours']) {
  const skip = name === 'ours' ? cannot : cannotRunWith(name);
  test(`a bundle runs with ${name}`, { skip }, async () => {
    using bundle = busyboxBundle('read line; echo "$line of $(pwd)"; exit 7');
    const { directory } = bundle;
    const engine = name === 'ours' ? ownProgram(bundle) : name;
    const flags = ['--root', join(directory, 'engine')];
    const [input, output] = ['in', 'out'].map((file) => join(directory, file)) as [string, string];
    writeFileSync(input, 'word\n');
    const fds = [openSync(input, 'r'), openSync(output, 'w'), openSync(output, 'a')] as const;
    try {
      assert.deepEqual(await runWith(engine, directory, { flags, stdio: fds }), { exitCode: 7 });
    } finally {
      for (const fd of fds) closeSync(fd);
    }
    assert.equal(readFileSync(output, 'utf8'), 'word of /\n');
    const started: AbortController = new AbortController();
    bundle.change((spec) => {
      spec.process.args = ['sh', '-c', 'echo >/dev/shm/x; sleep 1000'];
    });
    const state = join(directory, 'engine');
    const ended = runWith(engine, directory, { flags, stdio: 'ignore', signal: started.signal });
    await until(() => existsSync(state) && readdirSync(state).length > 0);
    started.abort(new Error('enough'));
    await assert.rejects(ended, /enough/);
    await until(() => readdirSync(state).length === 0);
    assert.deepEqual(leftovers(bundle), []);
  });
}

test('a runtime that is missing or fails is told from the container', { skip: cannot }, async () => {
  using bundle = busyboxBundle('exit 1');
  const { directory } = bundle;
  const missing = { code: 'ERR_OCI_ENGINE_MISSING' };
  await assert.rejects(runWith('no-such-runtime', directory), missing);
  await assert.rejects(runWith(join(directory, 'config.json'), directory), missing);
  const engine = ownProgram(bundle);
  const options = { flags: ['--root', join(directory, 'engine')], stdio: 'ignore' } as const;
  assert.deepEqual(await runWith(engine, directory, options), { exitCode: 1 });
  bundle.change((spec) => {
    spec.process.args = ['/nonexistent'];
  });
  await assert.rejects(runWith(engine, directory, options), { code: 'ERR_OCI_ENGINE_FAILED' });
});

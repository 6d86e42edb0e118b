import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Hook } from '@ocijs/bundle/spec';
import { type HookState, runHooks } from './hooks.ts';

let directory: string;
let state: HookState;

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'oci-hooks-'));
  state = { ociVersion: '1.2.0', id: 'x', status: 'created', pid: 7, bundle: directory };
});

after(() => rmSync(directory, { recursive: true, force: true }));

function shell(script: string, rest: Partial<Hook> = {}): Hook {
  return { path: '/bin/sh', args: ['hook', '-c', script], ...rest };
}

const run = (hooks: Hook[]): Promise<void> => runHooks(hooks, { name: 'createRuntime', state });

test('a hook gets the state, its own environment and the bundle as directory', async () => {
  await run([shell('cat >state; env >env; pwd >cwd; echo $0 >zero', { env: ['A=1=2', 'B='] })]);
  assert.deepEqual(JSON.parse(readFileSync(join(directory, 'state'), 'utf8')), state);
  const environment = readFileSync(join(directory, 'env'), 'utf8').split('\n');
  assert.ok(environment.includes('A=1=2') && environment.includes('B='));
  assert.equal(
    environment.some((variable) => variable.startsWith('HOME=')),
    false,
  );
  assert.equal(readFileSync(join(directory, 'cwd'), 'utf8').trim(), directory);
});

test('hooks run in order, and none after a failure', async () => {
  const hooks = [
    shell('echo 1 >>order'),
    shell('echo 2 >>order; echo why >&2; exit 3'),
    shell('echo 3 >>order'),
  ];
  await assert.rejects(run(hooks), {
    code: 'ERR_OCI_HOOK_FAILED',
    message: 'error running createRuntime hook #1: exit status 3, output: why',
  });
  assert.equal(readFileSync(join(directory, 'order'), 'utf8'), '1\n2\n');
});

test('a hook that takes too long is killed', async () => {
  const start = Date.now();
  await assert.rejects(run([shell('exec sleep 600', { timeout: 1 })]), {
    code: 'ERR_OCI_HOOK_FAILED',
    message: /killed by SIGKILL \(its timeout is 1 s\)/,
  });
  assert.ok(Date.now() - start < 300_000);
});

test('a hook may ignore its input, leave a daemon behind, or not exist', async () => {
  await run([shell('exec <&-; exit 0'), shell('sleep 2 & exit 0')]);
  await assert.rejects(run([{ path: '/no/such/hook' }]), { code: 'ERR_OCI_HOOK_FAILED' });
});

test('an abort ends the hook and is the reason', async () => {
  const controller = new AbortController();
  const running = runHooks([shell('exec sleep 60')], { name: 'prestart', state, signal: controller.signal });
  setTimeout(() => controller.abort(new Error('enough')), 50);
  await assert.rejects(running, { message: 'enough' });
});

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { Seccomp } from '@ocijs/bundle/spec';
import { launch } from '../container.ts';
import { create } from '../lifecycle/create.ts';
import { prepareExec } from '../lifecycle/exec.ts';
import { remove } from '../lifecycle/remove.ts';
import { start } from '../lifecycle/start.ts';
import {
  busyboxBundle,
  cannotRunAsRoot,
  leftovers,
  type TestBundle,
  testId,
} from '../testing/busybox-bundle.ts';
import { type Agent, cannotCompile, startAgent } from './testing/agent.ts';

const skip = cannotRunAsRoot() || cannotCompile();
const stdio = ['ignore', 'ignore', 'ignore'] as const;

function ask(agent: Agent | string, names: string[], more: Partial<Seccomp> = {}): Seccomp {
  return {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names, action: 'SCMP_ACT_NOTIFY' }],
    listenerPath: typeof agent === 'string' ? agent : agent.path,
    ...more,
  };
}

async function output(bundle: TestBundle): Promise<{ readonly out: string; readonly pid: number }> {
  await using container = await launch(bundle.directory, { root: bundle.root, stdio: 'pipe' });
  const out = Promise.all([container.stdout, container.stderr].map((stream) => (stream ? text(stream) : '')));
  await container.wait();
  return { out: (await out).join(''), pid: container.pid };
}

for (const noNewPrivileges of [true, false]) {
  test(`an agent answers for the container, no_new_privs ${noNewPrivileges}`, { skip }, async () => {
    await using agent = await startAgent();
    using bundle = busyboxBundle(
      'mkdir /tmp/x; ls -d /tmp/x; grep -E "^(Seccomp|CapEff|Threads)" /proc/self/status; ls /proc/self/fd',
    );
    bundle.change((spec) => {
      spec.process.noNewPrivileges = noNewPrivileges;
      spec.process.capabilities = {};
      spec.annotations = { 'org.example': 'a "quote"' };
      spec.linux.seccomp = ask(agent, ['mkdir', 'mkdirat'], { listenerMetadata: 'some metadata' });
    });
    const { out, pid } = await output(bundle);
    assert.match(out, /can't create directory '\/tmp\/x': Invalid cross-device link|EXDEV|cross-device/i);
    assert.match(out, /Seccomp:\t2/);
    assert.match(out, /CapEff:\t0000000000000000/);
    // 3 is the directory that ls reads: no descriptor of the conversation is left.
    assert.match(out, /0\n1\n2\n3\n/);
    assert.doesNotMatch(out, /\n4\n/);
    const { state, ...process } = await agent.state();
    assert.deepEqual(process, { ociVersion: '1.2.0', fds: ['seccompFd'], pid, metadata: 'some metadata' });
    const { id, ...rest } = state as Record<string, unknown>;
    assert.equal(typeof id, 'string');
    assert.deepEqual(rest, {
      ociVersion: '1.2.0',
      status: 'created',
      pid,
      bundle: bundle.directory,
      annotations: { 'org.example': 'a "quote"' },
    });
    assert.deepEqual(leftovers(bundle), []);
  });
}

test('calls that the init makes itself may be asked for, its message to the agent too', {
  skip,
}, async () => {
  await using agent = await startAgent();
  using bundle = busyboxBundle('mkdir /tmp/x; echo done');
  const names = [
    'mkdir',
    'mkdirat',
    'execve',
    'sendmsg',
    'sendto',
    'capset',
    'prctl',
    'close',
    'sched_yield',
    'exit',
  ];
  bundle.change((spec) => {
    spec.linux.seccomp = ask(agent, names, {
      flags: [
        'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV',
        'SECCOMP_FILTER_FLAG_TSYNC',
        'SECCOMP_FILTER_FLAG_LOG',
      ],
    });
  });
  const { out } = await output(bundle);
  assert.match(out, /done/);
  assert.match(out, /cross-device/i);
});

test('the agent answers for startContainer hooks and for processes that join the container', {
  skip,
}, async () => {
  await using agent = await startAgent();
  using bundle = busyboxBundle('sleep 100');
  const { root, directory } = bundle;
  bundle.change((spec) => {
    spec.root = { path: 'rootfs', readonly: false };
    spec.linux.seccomp = ask(agent, ['mkdir', 'mkdirat']);
    const script = 'mkdir /tmp/y 2>/tmp/hook; true';
    spec.hooks = { startContainer: [{ path: '/bin/sh', args: ['sh', '-c', script], env: ['PATH=/bin'] }] };
  });
  const id = testId();
  await create(id, { bundle: directory, root, stdio });
  await start(id, { root });
  await agent.state();
  assert.match(readFileSync(`${directory}/rootfs/tmp/hook`, 'utf8'), /cross-device/i);
  const process = {
    cwd: '/',
    user: { uid: 0, gid: 0 },
    args: ['sh', '-c', 'mkdir /tmp/z 2>/tmp/exec'],
    env: ['PATH=/bin'],
  };
  await using init = await prepareExec(id, { root, process, stdio, lifetime: 'attached' });
  await init.exited;
  assert.match(readFileSync(`${directory}/rootfs/tmp/exec`, 'utf8'), /cross-device/i);
  assert.equal((await agent.state())['pid'], init.pid);
  await remove(id, { root, force: true });
  assert.deepEqual(leftovers(bundle), []);
});

test('an agent that is not there, or none, fails the creation; a path without need is nothing', {
  skip,
}, async () => {
  using bundle = busyboxBundle('echo fine');
  const refused = async (seccomp: Seccomp, error: { code: string; message?: RegExp }): Promise<void> => {
    bundle.change((spec) => {
      spec.linux.seccomp = seccomp;
    });
    await assert.rejects(output(bundle), error);
    assert.deepEqual(leftovers(bundle), []);
  };
  const code = 'ERR_OCI_INIT_FAILED';
  await refused(ask('/does/not/exist', ['mkdir']), {
    code,
    message: /^cannot connect with the seccomp agent "\/does\/not\/exist": no such file or directory/,
  });
  writeFileSync(`${bundle.directory}/file`, '');
  await refused(ask(`${bundle.directory}/file`, ['mkdir']), { code, message: /: connection refused/ });
  await refused(ask('', ['mkdir']), { code: 'ERR_OCI_SPEC_CONFLICT' });
  bundle.change((spec) => {
    spec.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', listenerPath: '/does/not/exist' };
  });
  assert.match((await output(bundle)).out, /fine/);
});

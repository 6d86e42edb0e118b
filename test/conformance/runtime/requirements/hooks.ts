import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { copyFile, readFile, readlink } from 'node:fs/promises';
import type { Hooks } from '@ocijs/bundle/spec';
import { inSection, type Requirement } from '../requirement.ts';
import { type Container, failed, isGone, type Subject, succeeded, until } from '../subject.ts';

type Kind = keyof Hooks;

const env = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];

/** Hooks that run a script of the host; `$LOG` is the bundle's directory. */
async function withHooks(
  subject: Subject,
  hooks: Partial<Record<Kind, readonly string[]>>,
  script = 'exec sleep 1000',
): Promise<Container> {
  const container = await subject.container({ script });
  // What startContainer runs lies in the container.
  await copyFile('/bin/busybox', `${container.rootfs}/bin/busybox`).catch(() => undefined);
  container.spec.hooks = Object.fromEntries(
    Object.entries(hooks).map(([kind, scripts]) => [
      kind,
      scripts.map((text) => ({
        path: '/bin/sh',
        args: ['sh', '-c', text],
        env: [...env, `LOG=${kind === 'startContainer' ? '' : container.directory}`],
      })),
    ]),
  );
  await container.write();
  return container;
}

const note = (text: string): string => `echo ${text} >>"$LOG/log"`;

const order = inSection('config.md: POSIX-platform Hooks', [
  {
    id: 'hooks-order',
    title: 'each kind is called at its time, in the listed order',
    async check(subject) {
      const container = await withHooks(
        subject,
        {
          prestart: [note('prestart-1'), note('prestart-2')],
          createRuntime: [note('createRuntime')],
          createContainer: [note('createContainer')],
          startContainer: ['echo startContainer >/log'],
          poststart: [note('poststart-1'), note('poststart-2')],
          poststop: [note('poststop-1'), note('poststop-2')],
        },
        'busybox cat /log; exec sleep 1000',
      );
      const log = (): Promise<string> => readFile(`${container.directory}/log`, 'utf8');
      const created = 'prestart-1\nprestart-2\ncreateRuntime\ncreateContainer\n';
      succeeded(await container.create());
      assert.equal(await log(), created);
      assert.equal(existsSync(`${container.rootfs}/log`), false);
      succeeded(await container.call('start'));
      assert.equal(await log(), `${created}poststart-1\npoststart-2\n`);
      assert.equal(await container.read('log'), 'startContainer\n');
      succeeded(await container.call(['delete', '--force']));
      assert.equal(await log(), `${created}poststart-1\npoststart-2\npoststop-1\npoststop-2\n`);
    },
  },
  {
    id: 'hooks-state',
    title: 'hooks get the state on standard input',
    async check(subject) {
      const keep = (name: string): string => `cat >"$LOG/${name}.json"`;
      const container = await withHooks(subject, {
        prestart: [keep('prestart')],
        createRuntime: [keep('createRuntime')],
        createContainer: [keep('createContainer')],
        poststart: [keep('poststart')],
        poststop: [keep('poststop')],
      });
      await container.begin();
      const { pid } = await container.state();
      succeeded(await container.call(['delete', '--force']));
      for (const kind of ['prestart', 'createRuntime', 'createContainer', 'poststart', 'poststop']) {
        const state = JSON.parse(await readFile(`${container.directory}/${kind}.json`, 'utf8')) as object;
        const { id, bundle, ...rest } = state as Record<string, unknown>;
        assert.deepEqual([id, bundle], [container.id, container.directory], kind);
        if (kind === 'poststart') assert.deepEqual([rest['status'], rest['pid']], ['running', pid]);
      }
    },
  },
  {
    id: 'hooks-state-appropriate',
    title:
      'the status that createRuntime and prestart hooks see is one of the life cycle at their time: created',
    level: 'SHOULD',
    async check(subject) {
      const container = await withHooks(subject, { createRuntime: ['cat >"$LOG/state"'] });
      succeeded(await container.create());
      const { status } = JSON.parse(await readFile(`${container.directory}/state`, 'utf8')) as {
        status: string;
      };
      assert.equal(status, 'created');
    },
  },
  {
    id: 'hooks-arguments',
    title: 'a hook has the arguments and the environment of its configuration, and nothing else',
    async check(subject) {
      const container = await subject.container();
      const script = `echo "$0 $1 $(env | grep -c SECRET)" >'${container.directory}/log'`;
      container.spec.hooks = {
        createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', script, 'zero', 'one'], env }],
      };
      await container.write();
      succeeded(await container.create());
      assert.equal(await readFile(`${container.directory}/log`, 'utf8'), 'zero one 0\n');
    },
  },
  {
    id: 'hooks-path-absolute',
    title: 'a path that is not absolute is an error',
    check: async (subject) =>
      void (await subject.refuses({
        change: (spec) => {
          spec.hooks = { prestart: [{ path: 'sh' }] };
        },
      })),
  },
  {
    id: 'hooks-timeout-zero',
    title: 'a timeout is greater than zero',
    check: async (subject) =>
      void (await subject.refuses({
        change: (spec) => {
          spec.hooks = { prestart: [{ path: '/bin/true', timeout: -1 }] };
        },
      })),
  },
  {
    id: 'hooks-timeout',
    title: 'a hook that takes longer than its timeout is ended, and has failed',
    async check(subject) {
      const started = Date.now();
      await subject.refuses({
        change: (spec) => {
          spec.hooks = { createRuntime: [{ path: '/bin/sleep', args: ['sleep', '500'], env, timeout: 1 }] };
        },
      });
      assert.ok(Date.now() - started < 60_000);
    },
  },
]);

const namespaces = inSection('config.md: POSIX-platform Hooks', [
  ...(['prestart', 'createRuntime', 'poststart', 'poststop'] as const).map((kind) => ({
    id: `hooks-${kind}-namespace`,
    title: `${kind} hooks run in the namespaces of the runtime`,
    async check(subject: Subject) {
      const container = await withHooks(subject, {
        [kind]: ['readlink /proc/self/ns/mnt /proc/self/ns/uts >"$LOG/ns"'],
      });
      await container.begin();
      succeeded(await container.call(['delete', '--force']));
      const ours = await Promise.all(['mnt', 'uts'].map((name) => readlink(`/proc/self/ns/${name}`)));
      assert.equal(await readFile(`${container.directory}/ns`, 'utf8'), `${ours.join('\n')}\n`);
    },
  })),
  {
    id: 'hooks-createContainer-namespace',
    title: 'createContainer hooks are found in the host and run in the namespaces of the container',
    async check(subject) {
      const container = await withHooks(subject, {
        createContainer: ['readlink /proc/self/ns/uts >"$LOG/ns"'],
      });
      succeeded(await container.create());
      const { pid } = await container.state();
      assert.equal(
        await readFile(`${container.directory}/ns`, 'utf8'),
        `${await readlink(`/proc/${pid}/ns/uts`)}\n`,
      );
    },
  },
  {
    id: 'hooks-createContainer-root',
    title: 'createContainer hooks run before the change of root',
    async check(subject) {
      const container = await withHooks(subject, { createContainer: ['test -e "$LOG/config.json"'] });
      succeeded(await container.create());
    },
  },
  {
    id: 'hooks-startContainer-namespace',
    title: 'startContainer hooks are found and run in the container',
    async check(subject) {
      const container = await withHooks(subject, {
        startContainer: ['busybox readlink /proc/self/ns/uts >/ns; busybox pwd >>/ns'],
      });
      await container.begin();
      const { pid } = await container.state();
      assert.equal((await container.read('ns')).split('\n')[0], await readlink(`/proc/${pid}/ns/uts`));
    },
  },
  {
    id: 'hooks-runtime-namespaces-exist',
    title: 'createRuntime hooks run when the namespaces of the container exist',
    async check(subject) {
      const container = await withHooks(subject, {
        createRuntime: [
          'pid=$(sed -n "s/.*\\"pid\\": *\\([0-9]*\\).*/\\1/p"); readlink /proc/$pid/ns/net >"$LOG/ns"',
        ],
      });
      succeeded(await container.create());
      const { pid } = await container.state();
      assert.equal(
        await readFile(`${container.directory}/ns`, 'utf8'),
        `${await readlink(`/proc/${pid}/ns/net`)}\n`,
      );
    },
  },
]);

const failures = inSection('runtime.md: Lifecycle', [
  ...(['prestart', 'createRuntime', 'createContainer'] as const).map((kind) => ({
    id: `hooks-${kind}-fails`,
    title: `a ${kind} hook that fails is an error, and the container is gone; poststop hooks run`,
    async check(subject: Subject) {
      const container = await withHooks(subject, { [kind]: ['exit 7'], poststop: [note('poststop')] });
      failed(await container.create());
      failed(await container.call('state'));
      assert.equal(await readFile(`${container.directory}/log`, 'utf8'), 'poststop\n');
    },
  })),
  {
    id: 'hooks-startContainer-fails',
    title: 'a startContainer hook that fails is an error, and the program does not run',
    async check(subject) {
      const container = await withHooks(subject, { startContainer: ['exit 7'] }, 'echo ran >/ran');
      succeeded(await container.create());
      failed(await container.call('start'));
      assert.equal(existsSync(`${container.rootfs}/ran`), false);
    },
  },
  {
    id: 'hooks-poststart-fails',
    title: 'a poststart hook that fails is an error, and the container is stopped',
    async check(subject) {
      const container = await withHooks(subject, { poststart: ['exit 7'] });
      succeeded(await container.create());
      const { pid } = await container.state();
      failed(await container.call('start'));
      await until(() => isGone(pid), 'the process to end');
    },
  },
  {
    id: 'hooks-poststop-fails',
    title: 'a poststop hook that fails is a warning: the others run, and the container is deleted',
    async check(subject) {
      const container = await withHooks(subject, { poststop: ['exit 7', note('second')] });
      await container.begin();
      const answer = succeeded(await container.call(['delete', '--force']));
      assert.match(answer.stderr, /hook/);
      assert.equal(await readFile(`${container.directory}/log`, 'utf8'), 'second\n');
      failed(await container.call('state'));
    },
  },
]);

export const hooks: readonly Requirement[] = [...order, ...namespaces, ...failures];

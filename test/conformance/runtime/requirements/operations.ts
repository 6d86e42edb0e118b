import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, globSync } from 'node:fs';
import { mkdir, readFile, rmdir } from 'node:fs/promises';
import { inSection, type Requirement, Unsupported } from '../requirement.ts';
import { failed, isGone, succeeded, until } from '../subject.ts';

const start = inSection('runtime.md: Start', [
  {
    id: 'start-no-id',
    title: 'without an id, start is an error',
    check: async (subject) => failed(await subject.call(['start'])),
  },
  {
    id: 'start-missing',
    title: 'a container that does not exist cannot be started',
    check: async (subject) => failed(await subject.call(['start', 'conf-none'])),
  },
  {
    id: 'start-running',
    title: 'a running container cannot be started again, and goes on',
    async check(subject) {
      const container = await subject.container();
      await container.begin();
      const { pid } = await container.state();
      failed(await container.call('start'));
      const after = await container.state();
      assert.deepEqual([after['status'], after['pid']], ['running', pid]);
    },
  },
  {
    id: 'start-stopped',
    title: 'a stopped container cannot be started again',
    async check(subject) {
      const container = await subject.container({ script: 'echo run >>/runs' });
      await container.begin();
      await until(async () => (await container.status()) === 'stopped', 'the container to stop');
      failed(await container.call('start'));
      assert.equal(await container.read('runs'), 'run\n');
    },
  },
  {
    id: 'start-no-process',
    title: 'a container without a process can be created; starting it is an error, and deleting it works',
    async check(subject) {
      const container = await subject.container({
        change: (spec) => Reflect.deleteProperty(spec, 'process'),
      });
      succeeded(await container.create());
      failed(await container.call('start'));
      succeeded(await container.call(['delete', '--force']));
    },
  },
]);

const kill = inSection('runtime.md: Kill', [
  {
    id: 'kill-no-id',
    title: 'without an id, kill is an error',
    check: async (subject) => failed(await subject.call(['kill'])),
  },
  {
    id: 'kill-missing',
    title: 'a container that does not exist cannot be signalled',
    check: async (subject) => failed(await subject.call(['kill', 'conf-none', 'KILL']), /does not exist/),
  },
  {
    id: 'kill-stopped',
    title: 'a stopped container cannot be signalled',
    async check(subject) {
      const container = await subject.container({ script: 'exit' });
      await container.begin();
      await until(async () => (await container.status()) === 'stopped', 'the container to stop');
      failed(await container.call('kill', 'KILL'), /not running|process already finished|no such process/i);
    },
  },
  {
    id: 'kill-created',
    title: 'a created container can be signalled',
    async check(subject) {
      const container = await subject.container();
      succeeded(await container.create());
      succeeded(await container.call('kill', 'KILL'));
      await until(async () => (await container.status()) === 'stopped', 'the container to stop');
    },
  },
  {
    id: 'kill-signal',
    title: 'the signal is the one that was asked for, by number or name',
    async check(subject) {
      const script = `for n in USR1 USR2 HUP TERM; do trap "echo $n >>/got" $n; done
        echo >/ready; while :; do busybox usleep 20000; done`;
      const container = await subject.container({ script });
      await container.begin();
      await until(() => existsSync(`${container.rootfs}/ready`), 'the program');
      let expected = '';
      for (const [signal, name] of [
        ['10', 'USR1'],
        ['USR2', 'USR2'],
        ['SIGHUP', 'HUP'],
      ]) {
        expected += `${name}\n`;
        succeeded(await container.call('kill', signal as string));
        await until(async () => (await container.read('got').catch(() => '')) === expected, `${signal}`);
      }
      succeeded(await container.call('kill'));
      await until(async () => (await container.read('got')) === `${expected}TERM\n`, 'SIGTERM by default');
    },
  },
  {
    id: 'kill-unknown-signal',
    title: 'a signal that is none is an error, and nothing is sent',
    async check(subject) {
      const container = await subject.container();
      await container.begin();
      failed(await container.call('kill', 'NONE'));
      assert.equal(await container.status(), 'running');
    },
  },
]);

const remove = inSection('runtime.md: Delete', [
  {
    id: 'delete-no-id',
    title: 'without an id, delete is an error',
    check: async (subject) => failed(await subject.call(['delete'])),
  },
  {
    id: 'delete-missing',
    title: 'a container that does not exist cannot be deleted',
    check: async (subject) => failed(await subject.call(['delete', 'conf-none']), /does not exist/),
  },
  {
    id: 'delete-running',
    title: 'a running container cannot be deleted, and goes on',
    async check(subject) {
      const container = await subject.container();
      await container.begin();
      failed(await container.call('delete'));
      assert.equal(await container.status(), 'running');
    },
  },
  {
    id: 'delete-created',
    title: 'a created container cannot be deleted, and stays',
    async check(subject) {
      const container = await subject.container();
      succeeded(await container.create());
      failed(await container.call('delete'));
      assert.equal(await container.status(), 'created');
    },
  },
  {
    id: 'delete-resources',
    title: 'the processes, cgroups, mounts and state of a container are gone, and its id is free',
    async check(subject) {
      const container = await subject.container();
      const name = `conformance-${container.id}`;
      container.spec.linux.cgroupsPath = `/${name}`;
      await container.write();
      await container.begin();
      const { pid } = await container.state();
      succeeded(await container.call('kill', 'KILL'));
      await until(async () => (await container.status()) === 'stopped', 'the container to stop');
      succeeded(await container.call('delete'));
      assert.ok(isGone(pid), 'the process is there');
      assert.deepEqual(globSync([`/sys/fs/cgroup/*/${name}`, `/sys/fs/cgroup/${name}`]), [], 'cgroups');
      assert.equal((await readFile('/proc/self/mountinfo', 'utf8')).includes(container.directory), false);
      failed(await container.call('state'));
      succeeded(await container.create());
    },
  },
  {
    id: 'delete-foreign',
    title: 'a cgroup that was there before is not deleted',
    async check(subject) {
      const parent = ['/sys/fs/cgroup/pids', '/sys/fs/cgroup'].find((path) =>
        existsSync(`${path}/cgroup.procs`),
      );
      if (parent === undefined) throw new Unsupported('no cgroup file system');
      const name = `conformance-${randomUUID()}`;
      await mkdir(`${parent}/${name}`);
      try {
        const container = await subject.container({
          change: (spec) => {
            spec.linux.cgroupsPath = `/${name}`;
          },
        });
        succeeded(await container.create());
        succeeded(await container.call(['delete', '--force']));
        assert.ok(existsSync(`${parent}/${name}`), 'it is gone');
      } finally {
        await rmdir(`${parent}/${name}`).catch(() => undefined);
      }
    },
  },
]);

export const operations: readonly Requirement[] = [...start, ...kill, ...remove];

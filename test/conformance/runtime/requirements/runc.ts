import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inSection, type Requirement } from '../requirement.ts';
import { failed, isGone, type Subject, succeeded, type TestSpec, until } from '../subject.ts';

const general = inSection("runc's manual: global", [
  {
    id: 'runc-version',
    title: '--version has the name and version first, then a line with the version of the specification',
    async check(subject: Subject) {
      const { stdout } = succeeded(await subject.call(['--version']));
      assert.match(stdout, /^\S+ version \S+\n[\s\S]*^spec: \d/m);
    },
  },
  {
    id: 'runc-unknown-command',
    title: 'an unknown command is an error that names it',
    check: async (subject: Subject) => failed(await subject.call(['foo']), /foo/),
  },
  {
    id: 'runc-log-json',
    title: 'with --log and --log-format json, errors are JSON lines; they reach standard error too',
    async check(subject: Subject) {
      const { directory } = await subject.container();
      const global = ['--log', `${directory}/log`, '--log-format', 'json'];
      failed(await subject.call(['state', 'conf-none'], { global }), /does not exist/);
      const line = (await readFile(`${directory}/log`, 'utf8')).trim().split('\n').at(-1) ?? '';
      const { level, msg } = JSON.parse(line) as Record<string, string>;
      assert.equal(level, 'error');
      assert.match(msg ?? '', /does not exist/);
    },
  },
  {
    id: 'runc-spec',
    title: 'spec writes a config.json that is valid, once',
    async check(subject: Subject) {
      const directory = await mkdtemp(join(tmpdir(), 'ocijs-spec-'));
      try {
        succeeded(await subject.call(['spec'], { cwd: directory }));
        failed(await subject.call(['spec', '--bundle', directory]), /exist/);
      } finally {
        await rm(directory, { recursive: true });
      }
    },
  },
  {
    id: 'runc-list',
    title: 'list prints a table, JSON or ids',
    async check(subject: Subject) {
      const container = await subject.container();
      await container.begin();
      assert.match(
        succeeded(await subject.call(['list'])).stdout,
        /^ID +PID +STATUS +BUNDLE +CREATED +OWNER/,
      );
      assert.ok(
        succeeded(await subject.call(['list', '-q']))
          .stdout.split('\n')
          .includes(container.id),
      );
      const all = JSON.parse(succeeded(await subject.call(['list', '-f', 'json'])).stdout) as {
        id: string;
      }[];
      assert.ok(all.some(({ id }) => id === container.id));
    },
  },
  {
    id: 'runc-checkpoint-help',
    title: 'checkpoint --help exits with 0, by which podman knows that there are checkpoints',
    check: async (subject: Subject) => void succeeded(await subject.call(['checkpoint', '--help'])),
  },
  {
    id: 'runc-delete-force-missing',
    title: 'delete --force of a container that does not exist works',
    check: async (subject: Subject) => void succeeded(await subject.call(['delete', '--force', 'conf-none'])),
  },
  {
    id: 'runc-delete-force-running',
    title: 'delete --force ends and deletes a running container',
    async check(subject: Subject) {
      const container = await subject.container();
      await container.begin();
      const { pid } = await container.state();
      succeeded(await container.call(['delete', '--force']));
      assert.ok(isGone(pid));
      failed(await container.call('state'));
    },
  },
]);

const running = inSection("runc's manual: create, run", [
  {
    id: 'runc-run-exit-code',
    title: 'run passes the exit code on, 128 + n for signal n, and deletes the container',
    async check(subject: Subject) {
      const container = await subject.container({ script: 'echo out; echo err >&2; exit 42' });
      const { status, stdout, stderr } = await container.run();
      assert.deepEqual([status, stdout, stderr], [42, 'out\n', 'err\n']);
      failed(await container.call('state'));
      // The first process of a pid namespace cannot end itself so.
      const change = (spec: TestSpec): void => {
        spec.linux.namespaces = (spec.linux.namespaces ?? []).filter(({ type }) => type !== 'pid');
      };
      assert.equal((await (await subject.container({ script: 'kill -9 $$', change })).run()).status, 137);
    },
  },
  {
    id: 'runc-run-keep',
    title: 'run --keep leaves a stopped container',
    async check(subject: Subject) {
      const container = await subject.container({ script: 'exit 0' });
      succeeded(await container.run('--keep'));
      assert.equal(await container.status(), 'stopped');
    },
  },
  {
    id: 'runc-run-detach',
    title: 'run --detach returns while the container runs, and --pid-file has its process id',
    async check(subject: Subject) {
      const container = await subject.container();
      const pidFile = `${container.directory}/pid`;
      succeeded(await container.run('--detach', '--pid-file', pidFile));
      const { status, pid } = await container.state();
      assert.deepEqual([status, await readFile(pidFile, 'utf8')], ['running', String(pid)]);
    },
  },
  {
    id: 'runc-preserve-fds',
    title: '--preserve-fds passes descriptors on',
    async check(subject: Subject) {
      const container = await subject.container({ script: 'cat <&3' });
      await writeFile(`${container.directory}/file`, 'content\n');
      const file = await open(`${container.directory}/file`);
      try {
        const words = ['run', '--bundle', container.directory, '--preserve-fds', '1', container.id];
        const { stdout } = succeeded(await subject.call(words, { descriptors: [file.fd] }));
        assert.equal(stdout, 'content\n');
      } finally {
        await file.close();
      }
    },
  },
  {
    id: 'runc-home',
    title: 'HOME is that of the passwd file when it is missing or empty, and variables have one value',
    async check(subject: Subject) {
      const change = (spec: { process: object }): void =>
        void Object.assign(spec.process, { env: ['PATH=/bin', 'HOME=', 'A=1', 'A=2'] });
      const printed = await subject.output({ args: ['busybox', 'env'], change });
      assert.deepEqual(printed.trim().split('\n').sort(), ['A=2', 'HOME=/root', 'PATH=/bin']);
    },
  },
  {
    id: 'runc-cwd-made',
    title: 'a working directory that the image lacks is made',
    async check(subject: Subject) {
      const change = (spec: { process: object }): void =>
        void Object.assign(spec.process, { cwd: '/new/place' });
      assert.equal(await subject.output({ args: ['busybox', 'pwd'], change }), '/new/place\n');
    },
  },
  {
    id: 'runc-cwd-descriptor',
    title: 'a working directory that leads to the host is an error (CVE-2024-21626)',
    async check(subject: Subject) {
      for (const descriptor of [5, 7, 8]) {
        const change = (spec: { process: object }): void =>
          void Object.assign(spec.process, { cwd: `/proc/self/fd/${descriptor}` });
        const { status, stdout } = await (
          await subject.container({ script: 'ls ../../../etc/shadow', change })
        ).run();
        assert.ok(status !== 0 || !stdout.includes('shadow'), stdout);
      }
    },
  },
  {
    id: 'runc-affinity-reset',
    title: 'a container may use all processors of its cgroup, not those of its caller only (since 1.4)',
    async check(subject: Subject) {
      const { availableParallelism } = await import('node:os');
      if (availableParallelism() < 2) return;
      const script = "busybox sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status";
      const free = await subject.output({ script });
      const container = await subject.container({ script });
      const { command } = await import('../../../kit/command.ts');
      const words = [...subject.program, '--root', `${container.directory}/root`, 'run', '--bundle'];
      const { stdout } = await command('taskset', ['-c', '0', ...words, container.directory, container.id]);
      assert.equal(stdout, free);
    },
  },
]);

const others = inSection("runc's manual: exec, ps, pause, update, events", [
  {
    id: 'runc-exec',
    title: 'exec runs in the namespaces and cgroup of the container, and passes the exit code on',
    async check(subject: Subject) {
      const container = await subject.container();
      await container.begin();
      const { pid } = await container.state();
      const script = 'for n in mnt pid net ipc uts; do busybox readlink /proc/self/ns/$n; done; exit 9';
      const { status, stdout } = await container.exec(container.id, 'sh', '-c', script);
      const { readlink } = await import('node:fs/promises');
      const expected = await Promise.all(
        ['mnt', 'pid', 'net', 'ipc', 'uts'].map((name) => readlink(`/proc/${pid}/ns/${name}`)),
      );
      assert.deepEqual([status, stdout], [9, `${expected.join('\n')}\n`]);
    },
  },
  {
    id: 'runc-exec-flags',
    title:
      'exec takes --cwd, --env, --user and --cap; added capabilities are not inheritable (CVE-2022-29162)',
    async check(subject: Subject) {
      const container = await subject.container();
      await container.begin();
      const flags = ['--cwd', '/etc', '--env', 'A=1', '--user', '1000:2000', '--cap', 'CAP_NET_RAW'];
      const script = 'busybox pwd; echo $A; id -u; id -g; busybox grep CapInh /proc/self/status';
      const { stdout } = succeeded(await container.exec(...flags, container.id, 'sh', '-c', script));
      assert.equal(stdout, '/etc\n1\n1000\n2000\nCapInh:\t0000000000000000\n');
    },
  },
  {
    id: 'runc-exec-process',
    title: 'exec --process takes a file; --detach returns at once, with --pid-file',
    async check(subject: Subject) {
      const container = await subject.container();
      await container.begin();
      const file = `${container.directory}/process.json`;
      const args = ['sh', '-c', 'echo $A >/ran; exec sleep 1000'];
      await writeFile(
        file,
        JSON.stringify({ args, cwd: '/', env: ['PATH=/bin', 'A=7'], user: { uid: 0, gid: 0 } }),
      );
      const pidFile = `${container.directory}/exec.pid`;
      succeeded(await container.exec('--process', file, '--detach', '--pid-file', pidFile, container.id));
      await until(async () => (await container.read('ran').catch(() => '')) === '7\n', 'the process');
      process.kill(Number(await readFile(pidFile, 'utf8')), 0);
    },
  },
  {
    id: 'runc-exec-failure',
    title: 'what exec cannot run, and a user that is no number, is 255',
    async check(subject: Subject) {
      const container = await subject.container();
      await container.begin();
      assert.equal((await container.exec(container.id, 'missing-program')).status, 255);
      assert.equal((await container.exec('--user', 'nobody-at-all', container.id, 'true')).status, 255);
    },
  },
  {
    id: 'runc-exec-user-range',
    title: 'a user beyond 32 bits is an error, not root',
    async check(subject: Subject) {
      const container = await subject.container();
      await container.begin();
      for (const user of ['4294967296', '-1', '1:'])
        assert.notEqual((await container.exec('--user', user, container.id, 'id', '-u')).stdout, '0\n', user);
    },
  },
  {
    id: 'runc-exec-stopped',
    title: 'exec in a stopped container is an error',
    async check(subject: Subject) {
      const container = await subject.container({ script: 'exit 0' });
      await container.begin();
      await until(async () => (await container.status()) === 'stopped', 'the container to stop');
      failed(await container.exec(container.id, 'true'));
    },
  },
  {
    id: 'runc-ps',
    title: 'ps lists the processes of the container',
    async check(subject: Subject) {
      const container = await subject.container();
      await container.begin();
      const { pid } = await container.state();
      const { stdout } = succeeded(await container.call(['ps', '--format', 'json']));
      assert.deepEqual(JSON.parse(stdout), [pid]);
    },
  },
  {
    id: 'runc-pause',
    title: 'pause and resume; a paused container takes no exec, and is killed all the same',
    async check(subject: Subject) {
      const container = await subject.container();
      await container.begin();
      succeeded(await container.call('pause'));
      assert.equal(await container.status(), 'paused');
      failed(await container.exec(container.id, 'true'), /paused/);
      succeeded(await container.call('resume'));
      assert.equal(await container.status(), 'running');
      succeeded(await container.call('pause'));
      succeeded(await container.call(['delete', '--force']));
    },
  },
  {
    id: 'runc-update',
    title: 'update changes limits, by flags and from standard input',
    async check(subject: Subject) {
      const name = `/conformance-${randomUUID()}`;
      const container = await subject.container({
        change: (spec) => {
          spec.linux.cgroupsPath = name;
          spec.linux.resources = { ...spec.linux.resources, pids: { limit: 20 } };
        },
      });
      await container.begin();
      const file = [`/sys/fs/cgroup/pids${name}/pids.max`, `/sys/fs/cgroup${name}/pids.max`].find((path) =>
        existsSync(path),
      );
      if (file === undefined) return;
      succeeded(await container.call(['update', '--pids-limit', '30']));
      assert.equal(await readFile(file, 'utf8'), '30\n');
      const input = JSON.stringify({ pids: { limit: 40 } });
      succeeded(await subject.call(['update', '--resources', '-', container.id], { input }));
      assert.equal(await readFile(file, 'utf8'), '40\n');
    },
  },
  {
    id: 'runc-events',
    title: 'events --stats prints one line of JSON',
    async check(subject: Subject) {
      const container = await subject.container();
      await container.begin();
      const { stdout } = succeeded(await container.call(['events', '--stats']));
      const { type, id, data } = JSON.parse(stdout) as Record<string, unknown>;
      assert.deepEqual([type, id], ['stats', container.id]);
      assert.ok(Reflect.has(data as object, 'pids') && Reflect.has(data as object, 'memory'));
    },
  },
]);

export const runc: readonly Requirement[] = [...general, ...running, ...others].map((requirement) => ({
  ...requirement,
  level: 'runc',
}));

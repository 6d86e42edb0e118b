import assert from 'node:assert/strict';
import { existsSync, globSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { inSection, type Requirement } from '../requirement.ts';
import { failed, succeeded, until } from '../subject.ts';

export const create: readonly Requirement[] = inSection('runtime.md: Create', [
  {
    id: 'create-no-id',
    title: 'without an id, create is an error',
    async check(subject) {
      const { directory } = await subject.container();
      failed(await subject.call(['create', '--bundle', directory]));
    },
  },
  {
    id: 'create-no-bundle',
    title: 'a bundle without config.json, and one that is not there, are errors',
    async check(subject) {
      const container = await subject.container();
      await rm(`${container.directory}/config.json`);
      failed(await container.create());
      await rm(container.directory, { recursive: true });
      failed(await container.create());
    },
  },
  {
    id: 'create-id-taken',
    title: 'an id that is taken is an error, and the container that has it goes on',
    async check(subject) {
      const container = await subject.container();
      await container.begin();
      failed(await container.create(), /exist/);
      assert.equal(await container.status(), 'running');
    },
  },
  {
    id: 'create-id-invalid',
    title: 'ids that are no names are errors',
    async check(subject) {
      const { directory } = await subject.container();
      for (const id of ['', '.', '..', 'a/b', '../x', 'a b'])
        failed(await subject.call(['create', '--bundle', directory, id]));
    },
  },
  {
    id: 'create-runs-nothing',
    title: 'process.args is not applied before start',
    async check(subject) {
      const container = await subject.container({ script: 'echo ran >/ran' });
      succeeded(await container.create());
      assert.equal(existsSync(`${container.rootfs}/ran`), false);
      succeeded(await container.call('start'));
      await until(() => existsSync(`${container.rootfs}/ran`), 'the program to run');
    },
  },
  {
    id: 'create-config-kept',
    title: 'a change of config.json after create has no effect',
    async check(subject) {
      const container = await subject.container({ script: 'echo first >/ran' });
      succeeded(await container.create());
      container.spec.process.args = ['sh', '-c', 'echo second >/ran'];
      await container.write();
      succeeded(await container.call('start'));
      await until(async () => (await container.status()) === 'stopped', 'the container to stop');
      assert.equal(await container.read('ran'), 'first\n');
    },
  },
  {
    id: 'create-error-clean',
    title: 'what cannot be applied is an error, and no container, cgroup or mount is left',
    async check(subject) {
      const container = await subject.container({
        change: (spec) => {
          spec.mounts.push({ destination: '/x', type: 'no-such-file-system', source: 'none' });
        },
      });
      container.spec.linux.cgroupsPath = `/conformance-${container.id}`;
      await container.write();
      failed(await container.create());
      failed(await container.call('state'));
      assert.deepEqual(globSync(`/sys/fs/cgroup/*/conformance-${container.id}`), []);
      assert.equal((await readFile('/proc/self/mountinfo', 'utf8')).includes(container.directory), false);
    },
  },
  {
    id: 'create-root-missing',
    title: 'a root file system that is not there is an error',
    check: async (subject) =>
      void (await subject.refuses({
        change: (spec) => {
          spec.root = { path: 'missing' };
        },
      })),
  },
  {
    id: 'create-root-absolute',
    title: 'root.path may be absolute, or relative to the bundle',
    async check(subject) {
      const container = await subject.container({ script: 'echo here' });
      container.spec.root = { path: container.rootfs };
      await container.write();
      assert.equal(succeeded(await container.run()).stdout, 'here\n');
    },
  },
  {
    id: 'create-root-readonly',
    title: 'with root.readonly nothing can be written, and otherwise it can',
    async check(subject) {
      const script = 'busybox touch /file && echo written || echo denied';
      const change =
        (readonly: boolean) =>
        (spec: { root?: object }): void => {
          spec.root = { path: 'rootfs', readonly };
        };
      assert.equal(await subject.output({ script, change: change(true) }), 'denied\n');
      assert.equal(await subject.output({ script, change: change(false) }), 'written\n');
    },
  },
  {
    id: 'create-version',
    title: 'a version that is none is an error',
    check: async (subject) =>
      void (await subject.refuses({
        change: (spec) => {
          spec.ociVersion = 'new';
        },
      })),
  },
  {
    id: 'create-unknown-properties',
    title: 'unknown properties and annotations are ignored',
    async check(subject) {
      const change = (spec: object): void => {
        Object.assign(spec, { unheardOf: { a: [1] }, annotations: { 'org.example.unknown': 'x' } });
      };
      assert.equal(await subject.output({ script: 'echo ran', change }), 'ran\n');
    },
  },
  {
    id: 'create-json-invalid',
    title: 'a config.json that is not JSON is an error',
    async check(subject) {
      const container = await subject.container();
      await writeFile(`${container.directory}/config.json`, '{"ociVersion": "1.0.2", ');
      failed(await container.create());
    },
  },
  {
    id: 'create-other-platforms',
    title: 'sections for other platforms are ignored',
    async check(subject) {
      const change = (spec: object): void => {
        Object.assign(spec, { solaris: { milestone: 'x' }, vm: { kernel: { path: '/none' } } });
      };
      assert.equal(await subject.output({ script: 'echo ran', change }), 'ran\n');
    },
  },
  {
    id: 'create-links',
    title: 'links from the host do not lead out of the root file system',
    async check(subject) {
      const container = await subject.container({
        script: 'echo ran',
        change: (spec) => spec.mounts.push({ destination: '/link/below', type: 'tmpfs', source: 'tmpfs' }),
        prepare: async (rootfs) => {
          const { symlink } = await import('node:fs/promises');
          await mkdir(`${rootfs}/../outside`);
          await symlink('../outside', `${rootfs}/link`);
        },
      });
      await container.run();
      assert.deepEqual(globSync(`${container.directory}/outside/*`), []);
    },
  },
]);

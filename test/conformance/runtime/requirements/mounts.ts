import assert from 'node:assert/strict';
import { chmod, chown, mkdir, symlink, writeFile } from 'node:fs/promises';
import type { Mount } from '@ocijs/bundle/spec';
import { inSection, type Requirement } from '../requirement.ts';
import type { ContainerParts, Subject, TestSpec } from '../subject.ts';

const add =
  (...mounts: readonly Mount[]) =>
  (spec: TestSpec): void =>
    void spec.mounts.push(...mounts);

const tmpfs = (destination: string, ...options: readonly string[]): Mount => ({
  ...{ destination, type: 'tmpfs', source: 'tmpfs' },
  options: [...options],
});

const bind = (source: string, destination: string, ...options: readonly string[]): Mount => ({
  ...{ destination, source, type: 'bind' },
  options: ['bind', ...options],
});

/** The options and the propagation of a mount as the container sees them. */
async function optionsOf(subject: Subject, mount: Mount, more: readonly Mount[] = []): Promise<string[]> {
  const args = ['cat', '/proc/self/mountinfo'];
  const text = await subject.output({ args, change: add(mount, ...more) });
  const line = text.split('\n').find((each) => each.split(' ')[4] === mount.destination);
  assert.ok(line !== undefined, `${mount.destination} is not mounted: ${text}`);
  const [own = '', file = ''] = line.split(' - ');
  const [, , , , , options = '', ...propagation] = own.split(' ');
  return [...options.split(','), ...propagation, ...(file.split(' ')[2] ?? '').split(',')];
}

/** Asserts that something is mounted at a path of a container. */
async function mounted(subject: Subject, path: string, parts: ContainerParts): Promise<void> {
  const text = await subject.output({ args: ['cat', '/proc/self/mountinfo'], ...parts });
  assert.ok(text.includes(` ${path} `), text);
}

/** Those that the specification requires and that a tmpfs understands. */
const required =
  'async atime defaults dev diratime dirsync exec lazytime loud noatime nodev nodiratime noexec nolazytime norelatime nostrictatime nosuid private relatime ro rprivate rshared rslave runbindable rw shared silent slave strictatime suid sync unbindable'.split(
    ' ',
  );

const recursive =
  'ratime rdev rdiratime rexec rnoatime rnodev rnodiratime rnoexec rnorelatime rnostrictatime rnosuid rrelatime rro rrw rstrictatime rsuid nosymfollow symfollow rnosymfollow rsymfollow'.split(
    ' ',
  );

const effects: readonly (readonly [option: string, seen: string])[] = [
  ['ro', 'ro'],
  ['nosuid', 'nosuid'],
  ['nodev', 'nodev'],
  ['noexec', 'noexec'],
  ['noatime', 'noatime'],
  ['nodiratime', 'nodiratime'],
  ['sync', 'sync'],
  ['dirsync', 'dirsync'],
];

export const mounts: readonly Requirement[] = inSection('config.md: Mounts', [
  {
    id: 'mounts-order',
    title: 'mounts are made in the listed order',
    async check(subject) {
      const change = add(
        tmpfs('/m'),
        tmpfs('/m/inner'),
        bind('/etc', '/m/inner/etc'),
        tmpfs('/n'),
        tmpfs('/n'),
      );
      const text = await subject.output({ args: ['cat', '/proc/self/mountinfo'], change });
      const targets = text.split('\n').map((line) => line.split(' ')[4] ?? '');
      assert.deepEqual(
        targets.filter((path) => /^\/[mn]\b/.test(path)),
        ['/m', '/m/inner', '/m/inner/etc', '/n', '/n'],
      );
    },
  },
  {
    id: 'mounts-destination-relative',
    title: 'a destination that is not absolute is taken from the root',
    async check(subject) {
      await mounted(subject, '/relative/place', { change: add(tmpfs('relative/place')) });
    },
  },
  ...required.map((option) => ({
    id: `mounts-option-${option}`,
    title: `the option ${option} is understood`,
    async check(subject: Subject) {
      assert.equal(
        await subject.output({ args: ['echo', 'ran'], change: add(tmpfs('/m', option)) }),
        'ran\n',
      );
    },
  })),
  ...recursive.map((option) => ({
    id: `mounts-option-${option}`,
    level: 'SHOULD' as const,
    title: `the option ${option} is understood`,
    async check(subject: Subject) {
      assert.equal(
        await subject.output({ args: ['echo', 'ran'], change: add(tmpfs('/m', option)) }),
        'ran\n',
      );
    },
  })),
  ...effects.map(([option, seen]) => ({
    id: `mounts-effect-${option}`,
    title: `the option ${option} has its effect`,
    async check(subject: Subject) {
      assert.ok((await optionsOf(subject, tmpfs('/m', option))).includes(seen));
    },
  })),
  {
    id: 'mounts-data',
    title: 'other options are for the file system: one that it does not know is an error',
    async check(subject) {
      assert.ok((await optionsOf(subject, tmpfs('/m', 'size=64k', 'mode=0711'))).includes('size=64k'));
      await subject.refuses({ change: add(tmpfs('/m', 'unheard-of')) });
    },
  },
  {
    id: 'mounts-bind',
    title: 'bind mounts show directories and files of the host, read-only if so asked',
    async check(subject) {
      const container = await subject.container({
        script: 'cat /dir/file /file; echo x 2>/dev/null >/dir/new && echo written || echo denied',
      });
      await mkdir(`${container.directory}/source`);
      await writeFile(`${container.directory}/source/file`, 'content\n');
      const source = `${container.directory}/source`;
      add(bind(source, '/dir', 'ro'), bind(`${source}/file`, '/file'))(container.spec);
      await container.write();
      assert.equal((await container.run()).stdout, 'content\ncontent\ndenied\n');
    },
  },
  {
    id: 'mounts-bind-relative',
    title: 'the source of a bind mount may be relative to the bundle',
    async check(subject) {
      const container = await subject.container({
        args: ['cat', '/file'],
        change: add(bind('source', '/file')),
      });
      await writeFile(`${container.directory}/source`, 'content\n');
      assert.equal((await container.run()).stdout, 'content\n');
    },
  },
  {
    id: 'mounts-bind-missing',
    title: 'a source that is not there is an error',
    check: async (subject) => void (await subject.refuses({ change: add(bind('/none/such', '/m')) })),
  },
  {
    id: 'mounts-rbind',
    title: 'rbind takes what is mounted below, bind does not',
    async check(subject) {
      const text = (destination: string, option: string): Promise<string> => {
        const change = add({ destination, source: '/proc', type: 'none', options: [option] });
        return subject.output({ args: ['cat', '/proc/self/mountinfo'], change });
      };
      assert.match(await text('/m', 'bind'), / \/m /);
      assert.match(await text('/m', 'rbind'), / \/m /);
    },
  },
  ...(['shared', 'slave', 'private', 'unbindable'] as const).map((name) => ({
    id: `mounts-propagation-${name}`,
    title: `a bind mount with ${name} is ${name}`,
    async check(subject: Subject) {
      const options = await optionsOf(subject, bind('/etc', '/m', name));
      const seen = options.map((option) => option.split(':')[0]);
      assert.equal(seen.includes('shared'), name === 'shared', options.join(' '));
      assert.equal(seen.includes('unbindable'), name === 'unbindable', options.join(' '));
    },
  })),
  {
    id: 'mounts-rro',
    level: 'SHOULD',
    title: 'rro makes mounts below read-only too',
    async check(subject) {
      const script = 'echo x 2>/dev/null >/m/shm/conformance && echo written || echo denied';
      const change = add({ destination: '/m', source: '/dev', type: 'bind', options: ['rbind', 'rro'] });
      assert.equal(await subject.output({ script, change }), 'denied\n');
    },
  },
  {
    id: 'mounts-tmpcopyup',
    level: 'runc',
    title: 'tmpcopyup copies what the image has into a tmpfs',
    async check(subject) {
      const args = ['cat', '/etc/group'];
      assert.match(await subject.output({ args, change: add(tmpfs('/etc', 'tmpcopyup')) }), /^root:x:0:/);
    },
  },
  {
    id: 'mounts-target-made',
    level: 'runc',
    title: 'targets that the image lacks are made',
    async check(subject) {
      await mounted(subject, '/a/b/c', { change: add(tmpfs('/a/b/c')) });
    },
  },
  {
    id: 'mounts-target-link',
    level: 'runc',
    title: 'a target that is a link of the image is looked for inside the root file system',
    async check(subject) {
      await mounted(subject, '/real', {
        change: add(tmpfs('/link')),
        prepare: async (rootfs) => {
          await mkdir(`${rootfs}/real`);
          await symlink('/real', `${rootfs}/link`);
        },
      });
    },
  },
  {
    id: 'mounts-proc-link',
    level: 'runc',
    title: '/proc that is a link of the image is an error (CVE-2019-19921)',
    check: async (subject) =>
      void (await subject.refuses({
        prepare: async (rootfs) => {
          const { rmdir } = await import('node:fs/promises');
          await rmdir(`${rootfs}/proc`);
          await symlink('/tmp', `${rootfs}/proc`);
        },
      })),
  },
  {
    id: 'mounts-inside-proc',
    level: 'runc',
    title: 'nothing is mounted inside /proc but a few files',
    async check(subject) {
      await subject.refuses({ change: add(tmpfs('/proc/self')) });
      await subject.refuses({ change: add(bind('/etc/passwd', '/proc/sys/kernel/core_pattern')) });
    },
  },
  {
    id: 'mounts-idmap',
    level: 'SHOULD',
    title: 'the owners of an id-mapped mount are mapped',
    async check(subject) {
      const container = await subject.container({ args: ['busybox', 'stat', '-c', '%u %g', '/m/file'] });
      await chmod(container.directory, 0o755);
      await mkdir(`${container.directory}/source`);
      await writeFile(`${container.directory}/source/file`, '');
      await chown(`${container.directory}/source/file`, 5, 6);
      const mapping = [{ containerID: 0, hostID: 1000, size: 100 }];
      container.spec.mounts.push({
        ...bind(`${container.directory}/source`, '/m', 'idmap'),
        uidMappings: mapping,
        gidMappings: mapping,
      });
      await container.write();
      assert.equal((await container.run()).stdout, '1005 1006\n');
    },
  },
  {
    id: 'mounts-idmap-half',
    title: 'uidMappings of a mount without gidMappings are an error',
    check: async (subject) =>
      void (await subject.refuses({
        change: add({
          ...bind('/etc', '/m', 'idmap'),
          uidMappings: [{ containerID: 0, hostID: 1000, size: 100 }],
        }),
      })),
  },
]);

import assert from 'node:assert/strict';
import { runtimeSpecErrors } from '../../../kit/runtime-schema.ts';
import { inSection, type Requirement } from '../requirement.ts';
import { type Subject, succeeded } from '../subject.ts';

interface Features {
  readonly ociVersionMin: string;
  readonly ociVersionMax: string;
  readonly hooks: readonly string[];
  readonly mountOptions: readonly string[];
  readonly linux: {
    readonly namespaces: readonly string[];
    readonly capabilities: readonly string[];
    readonly seccomp: { readonly actions: readonly string[] };
  };
}

async function featuresOf(subject: Subject): Promise<Features> {
  return JSON.parse(succeeded(await subject.call(['features'])).stdout) as Features;
}

/** Options that mean something else for a new file system: the source of a bind mount, an id map, another mount. */
const notAlone =
  /^(r?bind|remount|r?idmap|mand|nomand|acl|noacl|i?version|noiversion|tmpcopyup|copy-symlink|.*-nofollow)$/;

export const features: readonly Requirement[] = inSection('features.md', [
  {
    id: 'features-schema',
    title: 'features are what the schema says',
    check: async (subject) =>
      assert.deepEqual(runtimeSpecErrors(await featuresOf(subject), 'features-schema.json'), []),
  },
  {
    id: 'features-versions',
    title: 'ociVersionMin and ociVersionMax are accepted in config.json',
    async check(subject) {
      const { ociVersionMin, ociVersionMax } = await featuresOf(subject);
      for (const ociVersion of [ociVersionMin, ociVersionMax]) {
        const change = (spec: { ociVersion: string }): void => {
          spec.ociVersion = ociVersion;
        };
        assert.equal(await subject.output({ args: ['echo', 'ran'], change }), 'ran\n', ociVersion);
      }
    },
  },
  {
    id: 'features-hooks',
    title: 'all kinds of hooks are there',
    async check(subject) {
      const all = ['createContainer', 'createRuntime', 'poststart', 'poststop', 'prestart', 'startContainer'];
      assert.deepEqual([...(await featuresOf(subject)).hooks].sort(), all);
    },
  },
  {
    id: 'features-mount-options',
    title: 'every mount option that is listed is understood',
    async check(subject) {
      const { mountOptions } = await featuresOf(subject);
      const options = mountOptions.filter((option) => !notAlone.test(option));
      assert.ok(options.length > 20);
      const printed = await subject.output({
        args: ['echo', 'ran'],
        change: (spec) => {
          for (const option of options)
            spec.mounts.push({
              destination: `/m/${option}`,
              type: 'tmpfs',
              source: 'tmpfs',
              options: [option],
            });
        },
      });
      assert.equal(printed, 'ran\n');
    },
  },
  {
    id: 'features-namespaces',
    title: 'every namespace that is listed can be had',
    async check(subject) {
      const { linux } = await featuresOf(subject);
      const types = linux.namespaces.filter((type) => type !== 'user');
      const change = (spec: object): void => {
        Object.assign(Reflect.get(spec, 'linux') as object, { namespaces: types.map((type) => ({ type })) });
      };
      assert.equal(await subject.output({ args: ['echo', 'ran'], change }), 'ran\n');
    },
  },
  {
    id: 'features-seccomp-actions',
    title: 'every action of seccomp that is listed is understood',
    async check(subject) {
      const { actions } = (await featuresOf(subject)).linux.seccomp;
      const notify = 'SCMP_ACT_NOTIFY';
      const syscalls = actions
        .filter((action) => action !== notify)
        .map((action, index) => ({ names: [['chroot', 'swapon', 'reboot', 'acct'][index % 4]], action }));
      for (const syscall of syscalls) {
        const container = await subject.container({
          args: ['echo', 'ran'],
          change: (spec) => {
            spec.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [syscall] } as never;
          },
        });
        assert.equal(succeeded(await container.run()).stdout, 'ran\n', syscall.action);
      }
    },
  },
]);

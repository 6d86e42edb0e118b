import assert from 'node:assert/strict';
import type { Seccomp } from '@ocijs/bundle/spec';
import { inSection, type Requirement } from '../requirement.ts';
import type { TestSpec } from '../subject.ts';

const filtered =
  (seccomp: object) =>
  (spec: TestSpec): void => {
    spec.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', ...seccomp } as Seccomp;
  };

const refusing = (rule: object, more: object = {}): ((spec: TestSpec) => void) =>
  filtered({ syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', ...rule }], ...more });

const script = 'busybox mkdir /tmp/made 2>&1 && echo made';

export const seccomp: readonly Requirement[] = inSection('config-linux.md: Seccomp', [
  {
    id: 'seccomp-errno',
    title: 'a call that is refused gives EPERM; others go through',
    async check(subject) {
      const container = await subject.container({ script, change: refusing({}) });
      assert.match((await container.run()).stdout, /Operation not permitted/);
    },
  },
  {
    id: 'seccomp-errno-value',
    title: 'errnoRet is what the program gets',
    async check(subject) {
      const container = await subject.container({ script, change: refusing({ errnoRet: 28 }) });
      assert.match((await container.run()).stdout, /No space left/);
    },
  },
  {
    id: 'seccomp-default-errno',
    title: 'defaultErrnoRet goes with the default action',
    async check(subject) {
      const change = filtered({
        ...{ defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 38 },
        syscalls: [{ names: ['no_such_call'], action: 'SCMP_ACT_ALLOW' }],
      });
      const { status } = await (await subject.container({ args: ['true'], change })).run();
      assert.notEqual(status, 0);
    },
  },
  {
    id: 'seccomp-arguments',
    title: 'rules look at arguments',
    async check(subject) {
      // personality(2) with PER_LINUX32: what `linux32` does.
      const change = filtered({
        syscalls: [
          {
            ...{ names: ['personality'], action: 'SCMP_ACT_ERRNO' },
            args: [{ index: 0, value: 8, op: 'SCMP_CMP_EQ' }],
          },
        ],
      });
      const container = await subject.container({
        script: 'busybox linux64 true && echo 64; busybox linux32 true 2>&1 || echo no 32',
        change,
      });
      assert.match((await container.run()).stdout, /^64\n[\s\S]*no 32\n$/);
    },
  },
  {
    id: 'seccomp-kill',
    title: 'a call that kills ends the program by SIGSYS',
    async check(subject) {
      const change = refusing({ action: 'SCMP_ACT_KILL_PROCESS' });
      const container = await subject.container({ args: ['busybox', 'mkdir', '/tmp/made'], change });
      assert.equal((await container.run()).status, 128 + 31);
    },
  },
  {
    id: 'seccomp-own-calls',
    title: 'what the runtime itself needs before the program runs is not subject to the filter',
    async check(subject) {
      const change = (spec: TestSpec): void => {
        filtered({ syscalls: [{ names: ['getcwd', 'chdir'], action: 'SCMP_ACT_ERRNO' }] })(spec);
        spec.process.noNewPrivileges = true;
      };
      assert.equal(await subject.output({ args: ['echo', 'ran'], change }), 'ran\n');
    },
  },
  {
    id: 'seccomp-no-new-privileges',
    title: 'a filter is in force with and without noNewPrivileges',
    async check(subject) {
      for (const noNewPrivileges of [true, false]) {
        const change = (spec: TestSpec): void => {
          refusing({})(spec);
          spec.process.noNewPrivileges = noNewPrivileges;
        };
        const field = "busybox sed -n 's/^Seccomp:[[:space:]]*//p' /proc/self/status";
        assert.equal(await subject.output({ script: field, change }), '2\n');
      }
    },
  },
  {
    id: 'seccomp-action-unknown',
    title: 'an action that is none is an error',
    check: async (subject) =>
      void (await subject.refuses({ change: refusing({ action: 'SCMP_ACT_UNHEARD_OF' }) })),
  },
  {
    id: 'seccomp-operator-unknown',
    title: 'an operator that is none is an error',
    check: async (subject) =>
      void (await subject.refuses({
        change: refusing({ args: [{ index: 0, value: 1, op: 'SCMP_CMP_ALMOST' }] }),
      })),
  },
  {
    id: 'seccomp-names-empty',
    title: 'a rule without names is an error',
    check: async (subject) => void (await subject.refuses({ change: refusing({ names: [] }) })),
  },
  {
    id: 'seccomp-errno-unsupported',
    title: 'an errno for an action that has none is an error',
    check: async (subject) =>
      void (await subject.refuses({ change: refusing({ action: 'SCMP_ACT_ALLOW', errnoRet: 5 }) })),
  },
  {
    id: 'seccomp-listener-metadata',
    title: 'listenerMetadata without listenerPath is an error',
    check: async (subject) =>
      void (await subject.refuses({ change: refusing({}, { listenerMetadata: 'x' }) })),
  },
]);

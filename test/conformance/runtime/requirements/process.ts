import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { inSection, type Requirement, Unsupported } from '../requirement.ts';
import type { TestSpec } from '../subject.ts';

type Change = (spec: TestSpec) => void;

/** A change of `process`. */
function process_(fields: object): Change {
  return (spec) => void Object.assign(spec.process, fields);
}

const status = (field: string): string => `busybox sed -n 's/^${field}:[[:space:]]*//p' /proc/self/status`;

async function boundingSet(): Promise<bigint> {
  const text = await readFile('/proc/self/status', 'utf8');
  return BigInt(`0x${/^CapBnd:\s*(\w+)/m.exec(text)?.[1] ?? 0}`);
}

const capSysResource = 1n << 24n;

const basics = inSection('config.md: Process', [
  {
    id: 'process-args',
    title: 'arguments reach the program as they are',
    async check(subject) {
      const args = ['echo', '-n', ' a  b ', '', '$HOME', '*'];
      assert.equal(await subject.output({ args }), ' a  b   $HOME *');
    },
  },
  {
    id: 'process-env',
    title: 'the environment is that of the configuration; what is in that of the runtime is not passed on',
    async check(subject) {
      const change = process_({ env: ['PATH=/bin', 'A=1', 'B=x=y', 'HOME=/h'] });
      const printed = await subject.output({ args: ['busybox', 'env'], change });
      assert.deepEqual(printed.trim().split('\n').sort(), ['A=1', 'B=x=y', 'HOME=/h', 'PATH=/bin']);
    },
  },
  {
    id: 'process-path-lookup',
    title: 'a program without a slash is looked for in PATH; one that is not there is an error of create',
    async check(subject) {
      assert.equal(
        await subject.output({ args: ['echo', 'found'], change: process_({ env: ['PATH=/none:/bin'] }) }),
        'found\n',
      );
      const { stderr } = await subject.refuses({ args: ['missing-program'] });
      assert.match(stderr, /not found|no such file/i);
    },
  },
  {
    id: 'process-not-executable',
    title: 'a program that may not be executed is an error of create',
    check: async (subject) => void (await subject.refuses({ args: ['/etc/passwd'] })),
  },
  {
    id: 'process-cwd',
    title: 'the working directory is process.cwd',
    async check(subject) {
      assert.equal(
        await subject.output({ args: ['busybox', 'pwd'], change: process_({ cwd: '/etc' }) }),
        '/etc\n',
      );
    },
  },
  {
    id: 'process-cwd-relative',
    title: 'a working directory that is not absolute is an error',
    check: async (subject) => void (await subject.refuses({ change: process_({ cwd: 'etc' }) })),
  },
  {
    id: 'process-args-empty',
    title: 'without arguments there is nothing to run: an error',
    check: async (subject) => void (await subject.refuses({ args: [] })),
  },
  {
    id: 'process-console-size-ignored',
    title: 'consoleSize is ignored without a terminal',
    async check(subject) {
      const change = process_({ consoleSize: { height: 25, width: 80 } });
      assert.equal(await subject.output({ args: ['echo', 'ran'], change }), 'ran\n');
    },
  },
  {
    id: 'process-user',
    title: 'user, group and further groups are those of the configuration, and no others',
    async check(subject) {
      const change = process_({ user: { uid: 1234, gid: 2345, additionalGids: [5, 3456] } });
      const script = `${status('Uid')}; ${status('Gid')}; ${status('Groups')}`;
      const lines = (await subject.output({ script, change }))
        .split('\n')
        .map((line) => line.trim().split(/\s+/));
      assert.deepEqual(lines[0], Array(4).fill('1234'));
      assert.deepEqual(lines[1], Array(4).fill('2345'));
      assert.deepEqual(lines[2]?.filter((gid) => gid !== '2345').sort(), ['3456', '5']);
    },
  },
  {
    id: 'process-user-none',
    title: 'without further groups those of the caller are gone',
    async check(subject) {
      const groups = await subject.output({ script: status('Groups') });
      assert.ok(['', '0'].includes(groups.trim()), groups);
    },
  },
  {
    id: 'process-user-invalid',
    title: 'user 4294967295, which the kernel takes for "no change", is an error',
    check: async (subject) =>
      void (await subject.refuses({ change: process_({ user: { uid: 4294967295, gid: 0 } }) })),
  },
  {
    id: 'process-umask',
    title: 'the umask is that of the configuration, or 0022',
    async check(subject) {
      const args = ['sh', '-c', 'umask'];
      assert.equal(await subject.output({ args }), '0022\n');
      assert.equal(
        await subject.output({ args, change: process_({ user: { uid: 0, gid: 0, umask: 0o27 } }) }),
        '0027\n',
      );
    },
  },
]);

const limits = inSection('config.md: POSIX process', [
  {
    id: 'rlimits-set',
    title: 'soft and hard limits match the configuration',
    async check(subject) {
      const rlimits = [
        { type: 'RLIMIT_NOFILE', soft: 200, hard: 300 },
        { type: 'RLIMIT_CORE', soft: 0, hard: 4096 },
        { type: 'RLIMIT_FSIZE', soft: 65536, hard: 131072 },
      ];
      const printed = await subject.output({
        args: ['cat', '/proc/self/limits'],
        change: process_({ rlimits }),
      });
      assert.match(printed, /^Max open files\s+200\s+300\s/m);
      assert.match(printed, /^Max core file size\s+0\s+4096\s/m);
      assert.match(printed, /^Max file size\s+65536\s+131072\s/m);
    },
  },
  {
    id: 'rlimits-unknown',
    title: 'a limit that the kernel does not know is an error',
    check: async (subject) =>
      void (await subject.refuses({
        change: process_({ rlimits: [{ type: 'RLIMIT_UNKNOWN', soft: 1, hard: 1 }] }),
      })),
  },
  {
    id: 'rlimits-twice',
    title: 'a limit that is given twice is an error',
    check: async (subject) =>
      void (await subject.refuses({
        change: process_({
          rlimits: [
            { type: 'RLIMIT_NOFILE', soft: 10, hard: 20 },
            { type: 'RLIMIT_NOFILE', soft: 11, hard: 20 },
          ],
        }),
      })),
  },
]);

const sets = (names: readonly string[], more: object = {}): Change =>
  process_({ capabilities: { bounding: names, effective: names, permitted: names, ...more } });

const linux = inSection('config.md: Linux Process', [
  {
    id: 'capabilities-sets',
    title: 'each of the five sets of capabilities is that of the configuration',
    async check(subject) {
      const change = process_({
        capabilities: {
          bounding: ['CAP_CHOWN', 'CAP_KILL', 'CAP_NET_RAW'],
          permitted: ['CAP_CHOWN', 'CAP_KILL'],
          effective: ['CAP_CHOWN', 'CAP_KILL'],
          inheritable: ['CAP_KILL'],
          ambient: ['CAP_KILL'],
        },
        user: { uid: 1000, gid: 1000 },
      });
      const script = ['CapBnd', 'CapInh', 'CapAmb', 'CapPrm', 'CapEff'].map(status).join(';');
      const masks = (await subject.output({ script, change }))
        .trim()
        .split('\n')
        .map((mask) => Number(`0x${mask}`));
      // The program is not set-uid: what it keeps is what is ambient.
      assert.deepEqual(masks, [0x2021, 0x20, 0x20, 0x20, 0x20]);
    },
  },
  {
    id: 'capabilities-none',
    title: 'without capabilities root has none',
    async check(subject) {
      const change: Change = (spec) => Reflect.deleteProperty(spec.process, 'capabilities');
      const script = ['CapBnd', 'CapPrm', 'CapEff', 'CapInh', 'CapAmb'].map(status).join(';');
      assert.match(await subject.output({ script, change }), /^(0{16}\n){5}$/);
    },
  },
  {
    id: 'capabilities-unknown',
    title: 'a capability that no kernel knows is a warning',
    async check(subject) {
      const container = await subject.container({
        args: ['echo', 'ran'],
        change: sets(['CAP_KILL', 'CAP_UNHEARD_OF']),
      });
      const { status: exit, stdout, stderr } = await container.run();
      assert.deepEqual([exit, stdout], [0, 'ran\n'], stderr);
      assert.match(stderr, /CAP_UNHEARD_OF/);
    },
  },
  {
    id: 'capabilities-not-granted',
    level: 'SHOULD',
    title: 'a capability that the caller lacks is no error',
    async check(subject) {
      if (((await boundingSet()) & capSysResource) !== 0n)
        throw new Unsupported('the caller lacks no capability');
      const change = sets(['CAP_KILL', 'CAP_SYS_RESOURCE']);
      assert.equal(await subject.output({ script: 'echo ran', change }), 'ran\n');
    },
  },
  {
    id: 'capabilities-ambient-warning',
    title: 'an ambient capability that cannot be raised is a warning',
    async check(subject) {
      const change = sets(['CAP_KILL'], { ambient: ['CAP_KILL'] });
      const { status: exit, stderr } = await (await subject.container({ args: ['true'], change })).run();
      assert.equal(exit, 0, stderr);
      assert.match(stderr, /CAP_KILL/i);
    },
  },
  {
    id: 'no-new-privileges',
    title: 'noNewPrivileges is set when asked for, and not otherwise',
    async check(subject) {
      const script = status('NoNewPrivs');
      assert.equal(await subject.output({ script, change: process_({ noNewPrivileges: true }) }), '1\n');
      assert.equal(await subject.output({ script, change: process_({ noNewPrivileges: false }) }), '0\n');
    },
  },
  {
    id: 'oom-score',
    title: 'oomScoreAdj is set',
    async check(subject) {
      const args = ['cat', '/proc/self/oom_score_adj'];
      assert.equal(await subject.output({ args, change: process_({ oomScoreAdj: 321 }) }), '321\n');
    },
  },
  {
    id: 'oom-score-unset',
    title: 'without oomScoreAdj the score stays that of the caller',
    async check(subject) {
      const own = await readFile('/proc/self/oom_score_adj', 'utf8');
      assert.equal(await subject.output({ args: ['cat', '/proc/self/oom_score_adj'] }), own);
    },
  },
  {
    id: 'apparmor-inactive',
    title: 'an AppArmor profile that cannot be applied is an error',
    async check(subject) {
      const enabled = await readFile('/sys/module/apparmor/parameters/enabled', 'utf8').catch(() => 'N');
      if (enabled.trim() === 'Y') throw new Unsupported('AppArmor is active here');
      await subject.refuses({ change: process_({ apparmorProfile: 'conformance' }) });
    },
  },
  {
    id: 'scheduler',
    title: 'the scheduling policy and nice value are set',
    async check(subject) {
      const change = process_({ scheduler: { policy: 'SCHED_BATCH', nice: 7 } });
      const [, policy, nice] =
        /^\S+ (\d+) (-?\d+)/.exec(
          await subject.output({ script: 'busybox awk \'{print "x", $41, $19}\' /proc/self/stat', change }),
        ) ?? [];
      assert.deepEqual([policy, nice], ['3', '7']);
    },
  },
  {
    id: 'io-priority',
    title: 'the priority of input and output is set',
    async check(subject) {
      const change = process_({ ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 2 } });
      assert.equal(
        await subject.output({ args: ['busybox', 'ionice', '-p', '1'], change }),
        'best-effort: prio 2\n',
      );
    },
  },
  {
    id: 'annotations-empty-key',
    title: 'an annotation with an empty key is no configuration',
    check: async (subject) =>
      void (await subject.refuses({
        change: (spec) => {
          spec.annotations = { '': 'x' };
        },
      })),
  },
]);

export const processes: readonly Requirement[] = [...basics, ...limits, ...linux];

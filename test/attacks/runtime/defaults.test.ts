/** What runtimes have forgotten before: groups, umask, filters, devices, ambient capabilities after a change of user. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeArena, skip } from './arena.ts';

test('a process has exactly what its configuration says', { skip }, async () => {
  using arena = await makeArena();
  const { out } = await arena.run(
    'grep -E "^(Groups|Seccomp|CapAmb|CapEff|NoNewPrivs|Umask):" /proc/self/status || cat /proc/self/status; umask',
    (spec) => {
      spec.process.user = { uid: 1000, gid: 1000, additionalGids: [7], umask: 0o077 };
      spec.process.noNewPrivileges = true;
      const sets = ['CAP_KILL'];
      spec.process.capabilities = {
        bounding: sets,
        permitted: sets,
        effective: sets,
        inheritable: [],
        ambient: sets,
      };
      spec.linux.seccomp = {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['mount'], action: 'SCMP_ACT_ERRNO' }],
      };
    },
  );
  assert.match(out, /^Groups:\t7 ?$/m);
  assert.match(out, /^Seccomp:\t2$/m);
  assert.match(out, /^NoNewPrivs:\t1$/m);
  assert.match(out, /^CapAmb:\t0000000000000000$/m);
  assert.match(out, /^0077$/m);
});

test('a filter with a flag or an action that nobody knows is no reason to run without', {
  skip,
}, async () => {
  using arena = await makeArena();
  for (const seccomp of [
    { defaultAction: 'SCMP_ACT_ALLOW', flags: ['SECCOMP_FILTER_FLAG_NEW'] },
    { defaultAction: 'SCMP_ACT_MAYBE' },
    { defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_NONE'] },
  ]) {
    const { error } = await arena.run('true', (spec) => {
      spec.linux.seccomp = seccomp;
    });
    assert.match(error?.code ?? 'none', /^ERR_OCI_SPEC_/);
  }
});

test('devices of the host are out of reach, with the capability to make them', { skip }, async () => {
  using arena = await makeArena();
  const { out } = await arena.run(
    '/bin/busybox mknod /dev/mem c 1 1; cat /dev/mem 2>&1; echo end',
    (spec) => {
      const sets = ['CAP_MKNOD', 'CAP_SYS_RAWIO', 'CAP_DAC_OVERRIDE'];
      spec.process.capabilities = { bounding: sets, permitted: sets, effective: sets };
      spec.linux.resources = {};
    },
  );
  assert.match(out, /Operation not permitted[\s\S]*end/);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startInit } from './index.ts';
import { makeBundle, makeSpec, runScript, skipReason, startOptions } from './testing/bundle.ts';

const skip = skipReason();

/** Instructions that let every system call pass but one, which fails with EPERM (linux/filter.h, linux/seccomp.h). */
function denying(number: number): Uint8Array {
  const program = [
    [0x20, 0, 0, 0], // load the number
    [0x15, 0, 1, number], // skip one instruction unless it is this
    [0x06, 0, 0, 0x00050001], // fail with errno 1
    [0x06, 0, 0, 0x7fff0000], // allow
  ] as const;
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, [code, whenTrue, whenFalse, value]] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(whenTrue, index * 8 + 2);
    bytes.writeUInt8(whenFalse, index * 8 + 3);
    bytes.writeUInt32LE(value, index * 8 + 4);
  }
  return bytes;
}

const mkdirNumber = process.arch === 'arm64' ? 34 : 83;

for (const noNewPrivileges of [true, false]) {
  test(`a seccomp filter holds ${noNewPrivileges ? 'with' : 'without'} no_new_privs`, { skip }, async () => {
    using bundle = makeBundle();
    const seccomp = { program: denying(mkdirNumber), flags: 0 };
    const spec = makeSpec({ process: { noNewPrivileges, user: { uid: 1000, gid: 1000 } } });
    const script = 'mkdir /tmp/x 2>&1; grep -E "^(Seccomp|NoNewPrivs|CapPrm|CapEff):" /proc/self/status';
    const { stdout } = await runScript(bundle, script, { spec, seccomp });
    const [complaint, ...status] = stdout.trim().split('\n');
    assert.match(complaint ?? '', /Operation not permitted/);
    assert.deepEqual(status, [
      'CapPrm:\t0000000000000000',
      'CapEff:\t0000000000000000',
      `NoNewPrivs:\t${noNewPrivileges ? 1 : 0}`,
      'Seccomp:\t2',
    ]);
  });
}

test('a filter that was not compiled is not left out', { skip }, async () => {
  using bundle = makeBundle();
  const spec = makeSpec({ linux: { ...makeSpec().linux, seccomp: { defaultAction: 'SCMP_ACT_ERRNO' } } });
  await assert.rejects(startInit(startOptions(bundle, spec)), { code: 'ERR_OCI_SPEC_UNSUPPORTED' });
});

test('a hard limit that cannot be raised is named, with a hint', { skip }, async () => {
  using bundle = makeBundle();
  const rlimits = [{ type: 'RLIMIT_NOFILE', soft: 1, hard: 2 ** 40 }];
  await assert.rejects(startInit(startOptions(bundle, makeSpec({ process: { rlimits } }))), {
    message: 'cannot set the resource limit RLIMIT_NOFILE: operation not permitted',
    facts: { errno: 'EPERM', jsonPath: '$.process.rlimits[0]' },
  });
});

test('descriptors of the event loop are never preserved', { skip }, async () => {
  using bundle = makeBundle();
  await assert.rejects(startInit({ ...startOptions(bundle), preserveFds: 40 }), {
    code: 'ERR_OCI_COMMAND_INVALID',
  });
});

test('a bind mount can be made read-only where its other attributes are locked', { skip }, async () => {
  using bundle = makeBundle();
  const maps = [{ containerID: 0, hostID: 0, size: 4_000_000_000 }];
  const namespaces = [...(makeSpec().linux?.namespaces ?? []), { type: 'user' as const }];
  const spec = makeSpec({
    mounts: [
      ...(makeSpec().mounts ?? []),
      { destination: '/terminals', source: '/dev/pts', options: ['rbind', 'ro'] },
    ],
    linux: { ...makeSpec().linux, namespaces, uidMappings: maps, gidMappings: maps },
  });
  const { stdout } = await runScript(bundle, 'grep " /terminals " /proc/self/mountinfo | cut -d" " -f6', {
    spec,
  });
  assert.match(stdout, /^ro\b/);
});

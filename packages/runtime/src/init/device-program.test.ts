import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceRule, RuntimeSpec } from '@ocijs/bundle/spec';
import { deviceProgram } from '../cgroup/device-program.ts';
import { findHierarchies } from '../cgroup/hierarchies.ts';
import { deviceExceptionLimit } from '../limits.ts';
import {
  makeBundle,
  makeSpec,
  type Outcome,
  runScript,
  skipReason,
  type TestBundle,
} from './testing/bundle.ts';
import { makeCgroup } from './testing/cgroup.ts';

/** Its kind is known by the magic number of its file system. */
const unified =
  process.platform === 'linux' ? findHierarchies().find(({ version }) => version === 'v2') : undefined;
const skip = skipReason() ?? (unified === undefined ? 'no cgroup v2 file system is mounted' : undefined);

/** A v2 group of this test's own, which goes away with it. */
const makeGroup = () => makeCgroup(unified?.mountPoint, `oci-devices-test-${process.pid}`);

const capabilities = ['CAP_MKNOD'];

function mknodSpec(): RuntimeSpec {
  return makeSpec({
    process: {
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    },
  });
}

async function run(
  bundle: TestBundle,
  script: string,
  attachment: { readonly cgroup: string; readonly program: Uint8Array },
): Promise<Outcome> {
  return await runScript(bundle, script, {
    spec: mknodSpec(),
    deviceProgram: attachment,
    cgroups: [{ procs: `${attachment.cgroup}/cgroup.procs`, version: 'v2' }],
  });
}

const readZero = 'head -c 1 /dev/zero >/dev/null && echo zero; echo x >/dev/null && echo null';

test('a denied device cannot be read, others can', { skip }, async () => {
  using bundle = makeBundle();
  await using group = makeGroup();
  const program = deviceProgram([{ allow: true }, { allow: false, type: 'c', major: 1, minor: 5 }]);
  const { stdout, stderr } = await run(bundle, readZero, { cgroup: group.path, program });
  assert.equal(stdout, 'null\n');
  assert.match(stderr, /\/dev\/zero: Operation not permitted/);
});

test('a device of the host can be made, and only opened if a rule says so', { skip }, async () => {
  using bundle = makeBundle();
  await using group = makeGroup();
  const script = 'mknod /dev/m c 1 1 && echo made; head -c 1 /dev/m; head -c 1 /dev/zero | wc -c';
  const denied = await run(bundle, script, { cgroup: group.path, program: deviceProgram([]) });
  assert.equal(denied.stdout, 'made\n1\n');
  assert.match(denied.stderr, /\/dev\/m: Operation not permitted/);

  const rules: DeviceRule[] = [
    { allow: false },
    { allow: true, type: 'c', major: 1, minor: 11, access: 'w' },
  ];
  const { stdout, stderr } = await run(bundle, 'mknod /dev/k c 1 11; : > /dev/k && echo open; : <> /dev/k', {
    cgroup: group.path,
    program: deviceProgram(rules),
  });
  assert.equal(stdout, 'open\n');
  assert.match(stderr, /\/dev\/k: Operation not permitted/);
});

test('in a group that outlives its container the next program takes the place of the last', {
  skip,
}, async () => {
  using bundle = makeBundle();
  await using group = makeGroup();
  const denying = deviceProgram([{ allow: true }, { allow: false, type: 'c', major: 1 }]);
  const first = await run(bundle, readZero, { cgroup: group.path, program: denying });
  assert.equal(first.stdout, '');
  const second = await run(bundle, readZero, { cgroup: group.path, program: deviceProgram([]) });
  assert.equal(second.stdout, 'zero\nnull\n');
});

test('the verifier takes a program of the largest size', { skip }, async () => {
  using bundle = makeBundle();
  await using group = makeGroup();
  const usual = 10;
  const rules = Array.from({ length: deviceExceptionLimit - usual }, (_, index) => ({
    ...{ allow: true, access: 'rw', major: index % 100 },
    ...({ type: index % 2 === 0 ? 'b' : 'c', minor: 1000 + index } as const),
  }));
  const outcome = await run(bundle, readZero, { cgroup: group.path, program: deviceProgram(rules) });
  assert.equal(outcome.stdout, 'zero\nnull\n');
});

test('what the verifier says against a program is told, and nothing runs', { skip }, async () => {
  using bundle = makeBundle();
  await using group = makeGroup();
  const program = deviceProgram([]).subarray(-8);
  await assert.rejects(run(bundle, 'true', { cgroup: group.path, program }), {
    code: 'ERR_OCI_INIT_FAILED',
    message: /^cannot restrict the devices of the cgroup .*: permission denied \(.*R0 !read_ok/,
  });
});

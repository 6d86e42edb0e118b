import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { Seccomp } from '@ocijs/bundle/spec';
import { launch } from '../container.ts';
import {
  busyboxBundle,
  cannotRun,
  cannotRunAsRoot,
  type TestBundle,
  testId,
} from '../testing/busybox-bundle.ts';
import { defaultSeccompProfile } from './default-profile.ts';

const skip = cannotRun();

interface Outcome {
  readonly code: number;
  readonly out: string;
}

async function outcome(bundle: TestBundle): Promise<Outcome> {
  await using container = await launch(bundle.directory, {
    id: testId(),
    root: bundle.root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const out = text(container.stdout as Readable);
  const { exitCode } = await container.wait();
  return { code: exitCode, out: await out };
}

function runcOutcome(bundle: TestBundle): Outcome {
  const args = ['--root', join(bundle.directory, 'runc'), 'run', testId()];
  const { status, stdout } = spawnSync('runc', args, { cwd: bundle.directory, encoding: 'utf8' });
  return { code: status ?? -1, out: stdout };
}

const noRunc = cannotRunAsRoot() || (spawnSync('runc', ['--version']).status === 0 ? false : 'needs runc');

function withProfile(script: string, seccomp: Seccomp, changes: Partial<Settings> = {}): TestBundle {
  const bundle = busyboxBundle(script);
  bundle.change((spec) => {
    spec.linux.seccomp = seccomp;
    if (spec.root) spec.root.readonly = false;
    spec.process.noNewPrivileges = changes.noNewPrivileges ?? true;
    spec.process.user = { uid: changes.uid ?? 0, gid: 0 };
  });
  return bundle;
}

interface Settings {
  readonly noNewPrivileges: boolean;
  readonly uid: number;
}

/** Both calls: which one a C library uses for mkdir(3) differs between processors. */
function deny(action: string, more: Partial<Seccomp> = {}): Seccomp {
  const architectures = process.arch === 'x64' ? ['SCMP_ARCH_X86_64'] : [];
  const errnoRet = ['SCMP_ACT_ERRNO', 'SCMP_ACT_TRACE'].includes(action) ? { errnoRet: 95 } : {};
  const syscalls = [{ names: ['mkdir', 'mkdirat'], action, ...errnoRet }];
  return { defaultAction: 'SCMP_ACT_ALLOW', architectures, syscalls, ...more };
}

const status =
  'mkdir /tmp/made 2>&1; echo $?; while read -r line; do case $line in Seccomp:*|NoNewPrivs:*|CapEff:*) echo $line;; esac; done </proc/self/status';

function field(out: string, name: string): string | undefined {
  return new RegExp(`^${name}:\\s*(\\S+)$`, 'm').exec(out)?.[1];
}

for (const noNewPrivileges of [true, false]) {
  test(`a denied call fails, no_new_privs ${noNewPrivileges}`, { skip }, async () => {
    using bundle = withProfile(status, deny('SCMP_ACT_ERRNO'), { noNewPrivileges });
    const { code, out } = await outcome(bundle);
    assert.equal(code, 0);
    assert.match(out, /not supported\n1\n/);
    assert.equal(field(out, 'Seccomp'), '2');
    assert.equal(field(out, 'NoNewPrivs'), noNewPrivileges ? '1' : '0');
  });

  test(`a filter leaves no capability behind, no_new_privs ${noNewPrivileges}`, {
    skip: cannotRunAsRoot(),
  }, async () => {
    using bundle = withProfile(status, deny('SCMP_ACT_ERRNO'), { noNewPrivileges, uid: 1000 });
    const { out } = await outcome(bundle);
    assert.equal(field(out, 'Seccomp'), '2');
    assert.equal(field(out, 'CapEff'), '0000000000000000');
  });
}

test('a killed process reports its signal', { skip }, async () => {
  using bundle = withProfile('exec mkdir /tmp/made', deny('SCMP_ACT_KILL_PROCESS'));
  assert.equal((await outcome(bundle)).code, 128 + 31);
});

test('an exact 64-bit value of config.json arrives in the filter', { skip }, async () => {
  // umask(2) with an argument of all ones: sh cannot do that, so everything but zero and one is denied.
  using bundle = withProfile('umask 0 && umask 7; echo $?', deny('SCMP_ACT_LOG'));
  const rule = (value: string): string =>
    `{"names":["umask"],"action":"SCMP_ACT_KILL_PROCESS","args":[{"index":0,"value":${value},"op":"SCMP_CMP_EQ"}]}`;
  const config = JSON.stringify({ ...bundle.spec, linux: { ...bundle.spec.linux, seccomp: 0 } });
  const write = (value: string): void =>
    writeFileSync(
      join(bundle.directory, 'config.json'),
      config.replace(
        '"seccomp":0',
        `"seccomp":{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[${rule(value)}]}`,
      ),
    );
  write('18446744073709551615');
  assert.deepEqual(await outcome(bundle), { code: 0, out: '0\n' });
  write('7');
  assert.equal((await outcome(bundle)).code, 128 + 31);
});

for (const noNewPrivileges of [true, false]) {
  for (const uid of [0, 1000]) {
    test(`Docker's profile lets a shell work: user ${uid}, no_new_privs ${noNewPrivileges}`, {
      skip: uid === 0 ? skip : cannotRunAsRoot(),
    }, async () => {
      const work = 'ls / >/dev/null && id && (sleep 0.01; echo background) & wait; echo $?';
      using bundle = withProfile(work, defaultSeccompProfile(['CAP_KILL']), { noNewPrivileges, uid });
      const { code, out } = await outcome(bundle);
      assert.equal(code, 0);
      assert.match(out, /uid=[\s\S]*background[\s\S]*0\n/);
    });
  }
}

for (const [name, seccomp] of [
  ['an error number', deny('SCMP_ACT_ERRNO')],
  ['a signal', deny('SCMP_ACT_TRAP')],
  ['a killed process', deny('SCMP_ACT_KILL_PROCESS')],
  ['a killed thread', deny('SCMP_ACT_KILL')],
  ['a log entry', deny('SCMP_ACT_LOG')],
  ['a tracer that is not there', deny('SCMP_ACT_TRACE')],
] as const) {
  test(`runc does the same: ${name}`, { skip: noRunc }, async () => {
    for (const noNewPrivileges of [true, false]) {
      using bundle = withProfile('mkdir /tmp/made 2>/tmp/error; echo $?; cat /tmp/error', seccomp, {
        noNewPrivileges,
      });
      bundle.change((spec) => {
        spec.ociVersion = '1.0.2';
      });
      const ours = await outcome(bundle);
      spawnSync('rm', ['-rf', join(bundle.directory, 'rootfs/tmp/made')]);
      assert.deepEqual(ours, runcOutcome(bundle));
    }
  });
}

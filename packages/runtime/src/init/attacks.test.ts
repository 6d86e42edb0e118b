import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Mount } from '@ocijs/bundle/spec';
import { makeBundle, makeSpec, runScript, skipReason, type TestBundle } from './testing/bundle.ts';

const skip = skipReason();

/** A directory of the host with something in it that no container may touch. */
function makeCanary(): Disposable & { readonly directory: string; check(): void } {
  const directory = mkdtempSync(join(tmpdir(), 'oci-canary-'));
  writeFileSync(join(directory, 'ptmx'), 'canary');
  return {
    directory,
    check() {
      assert.deepEqual(readdirSync(directory), ['ptmx']);
      assert.equal(readFileSync(join(directory, 'ptmx'), 'utf8'), 'canary');
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

function replaceByLink(bundle: TestBundle, name: string, target: string): void {
  rmSync(join(bundle.rootfs, name), { recursive: true });
  symlinkSync(target, join(bundle.rootfs, name));
}

const onlyProc: Mount[] = [{ destination: '/proc', type: 'proc', source: 'proc' }];

for (const target of ['/etc', '../../..', '/proc/../etc']) {
  test(`/proc as a link to ${target} is refused (CVE-2019-19921, CVE-2023-27561)`, { skip }, async () => {
    using bundle = makeBundle();
    replaceByLink(bundle, 'proc', target);
    await assert.rejects(runScript(bundle, 'true', { spec: makeSpec({ mounts: onlyProc }) }), {
      code: 'ERR_OCI_INIT_FAILED',
      message: /cannot mount a proc at "\/proc": must be mounted on ordinary directory/,
    });
  });
}

test('/sys as a link is refused (CVE-2025-54867)', { skip }, async () => {
  using bundle = makeBundle();
  replaceByLink(bundle, 'sys', '/etc');
  await assert.rejects(runScript(bundle, 'true'), /cannot mount a sysfs at "\/sys"/);
});

for (const isAbsolute of [true, false]) {
  test(`/dev as ${isAbsolute ? 'an absolute' : 'a relative'} link leads nowhere (CVE-2026-41579)`, {
    skip,
  }, async () => {
    using bundle = makeBundle();
    using canary = makeCanary();
    replaceByLink(
      bundle,
      'dev',
      isAbsolute ? canary.directory : `../../${canary.directory.split('/').at(-1)}`,
    );
    await assert.rejects(runScript(bundle, 'true', { spec: makeSpec({ mounts: onlyProc }) }), {
      message: /cannot make the device "\/dev\/null"/,
    });
    canary.check();
  });
}

for (let fd = 3; fd <= 12; fd++) {
  test(`/proc/self/fd/${fd} is no working directory (CVE-2024-21626)`, { skip }, async () => {
    using bundle = makeBundle();
    const spec = makeSpec({ process: { cwd: `/proc/self/fd/${fd}` } });
    await assert.rejects(runScript(bundle, 'pwd', { spec }), { code: 'ERR_OCI_INIT_FAILED' });
  });
}

test('a masked path does not depend on the null device of the container (CVE-2025-31133)', {
  skip,
}, async () => {
  using bundle = makeBundle();
  const device = join(bundle.directory, 'device');
  mkdirSync(device);
  symlinkSync('/proc/sys/kernel/core_pattern', join(device, 'null'));
  const mounts: Mount[] = [
    ...onlyProc,
    { destination: '/dev', type: 'bind', source: device, options: ['bind'] },
  ];
  const spec = makeSpec({
    mounts,
    linux: { ...makeSpec().linux, maskedPaths: ['/proc/timer_list'], readonlyPaths: [] },
  });
  const { stdout } = await runScript(bundle, 'wc -c < /proc/timer_list; stat -c %t:%T /proc/timer_list', {
    spec,
  });
  assert.equal(stdout, '0\n1:3\n');
});

test('mounts whose targets are links of the image stay inside of it (CVE-2019-18837)', { skip }, async () => {
  using bundle = makeBundle();
  using canary = makeCanary();
  symlinkSync(canary.directory, join(bundle.rootfs, 'absolute'));
  symlinkSync(`../../../../../..${canary.directory}`, join(bundle.rootfs, 'relative'));
  const mounts: Mount[] = [
    ...(makeSpec().mounts ?? []),
    { destination: '/absolute/made/deep', type: 'tmpfs', source: 'tmpfs' },
    { destination: '/relative/made/deep', type: 'tmpfs', source: 'tmpfs' },
    { destination: '/absolute/ptmx', type: 'bind', source: '/etc/hostname', options: ['bind', 'ro'] },
  ];
  const { stdout } = await runScript(bundle, `grep -c "${canary.directory}" /proc/self/mountinfo`, {
    spec: makeSpec({ mounts }),
  });
  assert.equal(stdout.trim(), '3');
  canary.check();
  assert.ok(existsSync(join(bundle.rootfs, canary.directory, 'made/deep')));
});

test('nothing is mounted on a procfs but what is meant to be (CVE-2019-16884, CVE-2025-52881)', {
  skip,
}, async () => {
  using bundle = makeBundle();
  symlinkSync('proc/self', join(bundle.rootfs, 'hidden'));
  const mounts: Mount[] = [...onlyProc, { destination: '/hidden/attr', type: 'tmpfs', source: 'tmpfs' }];
  await assert.rejects(runScript(bundle, 'true', { spec: makeSpec({ mounts }) }), {
    message: /cannot mount a tmpfs at "\/hidden\/attr": .*procfs/,
  });
});

test('the terminal is not taken from a false devpts (CVE-2025-52565)', { skip }, async () => {
  using bundle = makeBundle();
  mkdirSync(join(bundle.directory, 'pts'));
  for (const name of ['0', '1', 'ptmx']) writeFileSync(join(bundle.directory, 'pts', name), 'file');
  const mounts: Mount[] = [
    ...(makeSpec().mounts ?? []).filter(({ destination }) => destination !== '/dev/pts'),
    { destination: '/dev/pts', type: 'bind', source: join(bundle.directory, 'pts'), options: ['bind'] },
  ];
  const spec = makeSpec({ mounts, process: { terminal: true } });
  await assert.rejects(runScript(bundle, 'true', { spec }), { message: /not a devpts|not a typewriter/ });
});

test('the init itself cannot be changed from the container (CVE-2019-5736)', { skip }, async () => {
  using bundle = makeBundle();
  symlinkSync('/proc/self/exe', join(bundle.rootfs, 'self'));
  const spec = makeSpec({ process: { args: ['/self'] } });
  const { exitCode } = await runScript(bundle, '', { spec });
  assert.equal(exitCode, 0);
  const script = '(: < /proc/self/exe) && for i in 1 2 3; do /proc/self/exe 3; done; echo $?';
  const { stdout } = await runScript(bundle, script);
  assert.match(stdout, /^\d+\n$/);
});

test('files of the image stand in the way of nothing outside of it (CVE-2025-24965)', { skip }, async () => {
  using bundle = makeBundle();
  using canary = makeCanary();
  mkdirSync(join(bundle.rootfs, 'dev/pts'));
  const target = join(canary.directory, 'ptmx');
  for (const name of ['null', 'console', 'fd', 'ptmx', 'tty', 'pts/ptmx'])
    symlinkSync(target, join(bundle.rootfs, 'dev', name));
  await runScript(bundle, 'true', { spec: makeSpec({ mounts: onlyProc }) });
  canary.check();
});

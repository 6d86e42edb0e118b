import assert from 'node:assert/strict';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RuntimeSpec } from '@ocijs/bundle/spec';
import { makeBundle, makeSpec, skipReason, type TestBundle } from './testing/bundle.ts';
import { apart, runProgram } from './testing/program.ts';

const skip = skipReason();
const range = [{ containerID: 0, hostID: 200_000, size: 65_536 }];

/** A bundle with a directory whose mount options the tests change, and where it goes. */
function bundleWithSource(): TestBundle & { readonly source: string } {
  const bundle = makeBundle();
  const source = join(bundle.directory, 'source');
  mkdirSync(source);
  mkdirSync(join(bundle.rootfs, 'data'));
  return { ...bundle, source };
}

function bindSpec(source: string, options: readonly string[], isMapped: boolean): RuntimeSpec {
  const base = makeSpec({
    process: {
      capabilities: {
        bounding: ['CAP_SYS_ADMIN'],
        effective: ['CAP_SYS_ADMIN'],
        permitted: ['CAP_SYS_ADMIN'],
      },
    },
  });
  const mounts = [...(base.mounts ?? []), { destination: '/data', source, options: [...options] }];
  if (!isMapped) return { ...base, mounts };
  const namespaces = [...(base.linux?.namespaces ?? []), { type: 'user' as const }];
  return { ...base, mounts, linux: { ...base.linux, namespaces, uidMappings: range, gidMappings: range } };
}

const optionsOfData = 'grep " /data " /proc/self/mountinfo | cut -d" " -f6';

/** For every case, mounts the source as it says, and tells the options that the container sees, or the failure. */
const program = `
  import { execFileSync } from 'node:child_process';
  const outcomes = [];
  for (const { host, spec } of input.cases) {
    execFileSync('mount', ['--bind', '-o', 'remount,rw,suid,dev,exec,symfollow,diratime,relatime', input.source]);
    execFileSync('mount', ['--bind', '-o', 'remount,' + host, input.source]);
    try {
      outcomes.push((await runScript(input.bundle, input.script, { spec })).stdout.trim());
    } catch (error) {
      outcomes.push(error.message);
    }
  }
  done(outcomes);`;

const refused = 'cannot set the options of the mount at "/data": operation not permitted';
const all = 'ro,noexec,nosymfollow,nodiratime';

/** The source's options, those of the mount, and what it has then: as root, and in a user namespace. */
const cases: readonly (readonly [host: string, options: string, root: string, mapped: string])[] = [
  [all, 'bind', 'ro,noexec,nodiratime,relatime,nosymfollow', 'ro,noexec,nodiratime,relatime,nosymfollow'],
  [all, 'bind,dev', 'rw,nodiratime,relatime', 'ro,noexec,nodiratime,relatime'],
  [all, 'bind,atime', 'rw,nodiratime,relatime', 'ro,noexec,nodiratime,relatime'],
  ['ro', 'bind,nosuid', 'rw,nosuid,relatime', 'ro,nosuid,relatime'],
  ['ro', 'bind,rw', 'rw,relatime', refused],
  ['nosuid,nodev', 'bind,ro,suid', 'ro,relatime', refused],
  ['nodev,nosymfollow', 'rbind,rw', 'rw,relatime', 'rw,nodev,relatime'],
  ['noatime', 'bind,atime', 'rw,noatime', 'rw,noatime'],
  ['noatime', 'bind,norelatime', 'rw,noatime', 'rw,noatime'],
  ['strictatime', 'bind,nostrictatime', 'rw', 'rw'],
  ['nodiratime', 'bind,diratime', 'rw,nodiratime,relatime', 'rw,nodiratime,relatime'],
  ['noatime', 'bind,relatime', 'rw,relatime', refused],
  ['noatime', 'bind,nodiratime', 'rw,nodiratime,relatime', refused],
  ['nodiratime', 'bind,strictatime', 'rw', refused],
  ['strictatime', 'bind,noatime', 'rw,noatime', refused],
  ['noatime', 'bind,noatime', 'rw,noatime', 'rw,noatime'],
];

for (const isMapped of [false, true]) {
  const who = isMapped ? 'in a user namespace' : 'as root';
  test(`a bind mount has the options that it asks for and those that it may not take back, ${who}`, {
    skip,
  }, async () => {
    using bundle = bundleWithSource();
    const { source } = bundle;
    const specs = cases.map(([host, options]) => ({
      host,
      spec: bindSpec(source, options.split(','), isMapped),
    }));
    const outcomes = await runProgram(program, {
      within: apart(`mount -t tmpfs tmpfs ${source}`),
      input: { bundle, source, script: optionsOfData, cases: specs },
    });
    assert.deepEqual(
      (outcomes as string[]).map((outcome, index) => [...(cases[index]?.slice(0, 2) ?? []), outcome]),
      cases.map(([host, options, root, mapped]) => [host, options, isMapped ? mapped : root]),
    );
  });
}

test('the root of a user namespace takes back nothing that its source forbids', { skip }, async () => {
  using bundle = bundleWithSource();
  const { source } = bundle;
  chmodSync(source, 0o777);
  const script = 'mount -o remount,bind,rw /data 2>/dev/null; echo $?; touch /data/file 2>&1';
  const outcomes = await runProgram(program, {
    within: apart(`mount --bind ${source} ${source}`),
    input: { bundle, source, script, cases: [{ host: 'ro', spec: bindSpec(source, ['rbind'], true) }] },
  });
  assert.deepEqual(outcomes, ['1\ntouch: /data/file: Read-only file system']);
});

test('what the root of a user namespace mounts does not reach the host, whatever is shared', {
  skip,
}, async () => {
  using bundle = bundleWithSource();
  const { source } = bundle;
  const base = bindSpec(source, ['rbind', 'rshared'], true);
  const spec = { ...base, linux: { ...base.linux, rootfsPropagation: 'rshared' } };
  const script = 'mount -t tmpfs below /data && grep -c " /data " /proc/self/mountinfo';
  const shared = `
    import { readFileSync } from 'node:fs';
    const { stdout } = await runScript(input.bundle, input.script, { spec: input.spec });
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\\n');
    done([stdout, mounts.filter((line) => line.includes(input.source)).length]);`;
  const outcome = await runProgram(shared, {
    within: apart(`mount -t tmpfs tmpfs ${source}\nmount --make-shared ${source}`),
    input: { bundle, source, script, spec },
  });
  assert.deepEqual(outcome, ['2\n', 1]);
});

test('where the runtime itself is in a user namespace, options that are locked for it stay', {
  skip,
}, async () => {
  using bundle = bundleWithSource();
  const { source } = bundle;
  const spec = {
    ...makeSpec(),
    hostname: '',
    mounts: [
      { destination: '/proc', type: 'bind', source: '/proc', options: ['rbind'] },
      { destination: '/data', type: 'bind', source, options: ['bind', 'ro'] },
    ],
    linux: { namespaces: [{ type: 'mount' as const }] },
  };
  const lock = `mount -t tmpfs tmpfs ${source}\nmount --bind -o remount,nodev,nosuid,relatime ${source}`;
  const outcome = await runProgram(
    'done(await runScript(input.bundle, input.script, { spec: input.spec }));',
    {
      within: [...apart(lock), 'unshare', '--user', '--map-root-user', '--mount'],
      input: { bundle, script: optionsOfData, spec },
    },
  );
  assert.deepEqual(outcome, { exitCode: 0, stdout: 'ro,nosuid,nodev,relatime\n', stderr: '' });
});

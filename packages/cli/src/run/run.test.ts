import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { linuxCapabilities, type RuntimeSpec, specFromImage } from '@ocijs/bundle/spec';
import type { ImageConfig } from '@ocijs/image';
import { checkRunFlags, refuseBundleFlags } from './check.ts';
import { deviceNumbers, parseDevice } from './devices.ts';
import { parseEnvironmentFile, readEnvironment } from './environment.ts';
import type { RunFlagValues } from './flags.ts';
import { overrideConfig } from './image-config.ts';
import { parseUlimit, resourceLimits } from './limits.ts';
import { addMounts, parseMount, parseTmpfs, parseVolume } from './mounts.ts';
import { mappings, parseRanges } from './rootless.ts';
import { boundingCapabilities, capabilitySet, parseSecurityOptions } from './security.ts';
import { hasDefaultAction, isFirstOfNamespace } from './signals.ts';
import { applyRunFlags } from './spec.ts';

const usage = { code: 'ERR_OCI_USAGE' };
const none: RunFlagValues = {
  interactive: false,
  tty: false,
  detach: false,
  rm: false,
  'read-only': false,
  privileged: false,
};
const image: ImageConfig = {
  os: 'linux',
  architecture: 'amd64',
  rootfs: { type: 'layers', diff_ids: [] },
  config: { Entrypoint: ['/entry'], Cmd: ['default'], Env: ['A=image'], WorkingDir: '/srv' },
};

describe('command and environment', () => {
  const overridden = (change: Partial<Parameters<typeof overrideConfig>[1]>) =>
    overrideConfig(image, { command: [], environment: [], ...change }).config;

  test('words replace Cmd, --entrypoint replaces Entrypoint and drops Cmd', () => {
    assert.deepEqual(overridden({})?.Cmd, ['default']);
    assert.deepEqual(overridden({ command: ['a', 'b'] })?.Cmd, ['a', 'b']);
    assert.deepEqual(overridden({ command: ['a'] })?.Entrypoint, ['/entry']);
    assert.deepEqual(overridden({ entrypoint: 'sh' })?.Entrypoint, ['sh']);
    assert.equal(overridden({ entrypoint: 'sh' })?.Cmd, undefined);
    assert.deepEqual(overridden({ entrypoint: '', command: ['x'] }), {
      Env: ['A=image'],
      WorkingDir: '/srv',
      Cmd: ['x'],
    });
  });

  test('variables come after those of the image, in the order file, flag', async () => {
    assert.deepEqual(overridden({ environment: ['A=1'] })?.Env, ['A=image', 'A=1']);
    assert.deepEqual(await readEnvironment({ env: ['X=1=2', 'HOME', 'UNSET'] }, { HOME: '/h' }), [
      'X=1=2',
      'HOME=/h',
    ]);
    const file = '\ufeff# comment\nA=1\r\n\n  B=two words \nC\nQ="x"\n';
    assert.deepEqual(parseEnvironmentFile(file, { path: 'f', own: { C: 'c' } }), [
      'A=1',
      'B=two words ',
      'C=c',
      'Q="x"',
    ]);
    assert.throws(() => parseEnvironmentFile('A=1\nB C=2\n', { path: 'f', own: {} }), {
      ...usage,
      message: /^f:2: /,
    });
    await assert.rejects(readEnvironment({ 'env-file': ['/nowhere'] }, {}), usage);
  });
});

describe('mounts', () => {
  test('volumes are binds of absolute paths', () => {
    assert.deepEqual(parseVolume('/a:/b:ro'), {
      destination: '/b',
      type: 'bind',
      source: '/a',
      options: ['rbind', 'rprivate', 'ro'],
    });
    assert.deepEqual(parseVolume('/a:/b:rslave').options, ['rbind', 'rslave']);
    for (const text of ['/b', 'name:/b', './a:/b', '/a:b', '/a:/', '/a:/b:z', '/a:/b:ro:x', '']) {
      assert.throws(() => parseVolume(text), usage, text);
    }
  });

  test('--mount has the keys of Docker', () => {
    assert.deepEqual(parseMount('type=bind,source=/a,target=/b,readonly').options, [
      'rbind',
      'ro',
      'rprivate',
    ]);
    assert.deepEqual(parseMount('type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=700'), {
      destination: '/t',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'nodev', 'noexec', 'size=1048576', 'mode=700'],
    });
    for (const text of [
      'type=volume,dst=/a',
      'dst=/a',
      'type=bind,dst=/a',
      'type=tmpfs,dst=/a,x=1',
      'type=bind,src=/a,dst=/b,tmpfs-size=1',
    ]) {
      assert.throws(() => parseMount(text), usage, text);
    }
  });

  test('--tmpfs keeps its defaults unless told otherwise', () => {
    assert.deepEqual(parseTmpfs('/t').options, ['nosuid', 'nodev', 'noexec']);
    assert.deepEqual(parseTmpfs('/t:exec,size=64m').options, ['nosuid', 'nodev', 'size=64m']);
    assert.throws(() => parseTmpfs('/t:huge=always'), usage);
  });

  test('a mount replaces the one at its place', () => {
    const base = [{ destination: '/dev/shm' }, { destination: '/proc' }];
    assert.deepEqual(addMounts(base, [{ destination: '/dev/shm/', type: 'tmpfs' }]), [
      { destination: '/proc' },
      { destination: '/dev/shm/', type: 'tmpfs' },
    ]);
  });
});

describe('limits', () => {
  test('memory, cpus and pids', () => {
    assert.deepEqual(resourceLimits({ memory: '64m', cpus: '1.5', 'pids-limit': 10 }), {
      memory: { limit: 67_108_864 },
      cpu: { period: 100_000, quota: 150_000 },
      pids: { limit: 10 },
    });
    assert.deepEqual(resourceLimits({ 'pids-limit': 0 }), { pids: { limit: -1 } });
    for (const flags of [{ memory: 'x' }, { memory: '0' }, { cpus: '0' }, { cpus: '-1' }, { cpus: '1e3' }]) {
      assert.throws(() => resourceLimits(flags), usage);
    }
  });

  test('ulimits', () => {
    assert.deepEqual(parseUlimit('nofile=1024:2048'), { type: 'RLIMIT_NOFILE', soft: 1024, hard: 2048 });
    assert.deepEqual(parseUlimit('core=-1'), { type: 'RLIMIT_CORE', soft: 2 ** 64, hard: 2 ** 64 });
    for (const text of ['nofile', 'nofile=x', 'nofile=2:1', 'nofile=-1:5', 'files=1']) {
      assert.throws(() => parseUlimit(text), usage, text);
    }
  });
});

describe('security', () => {
  const basis = {
    defaults: ['CAP_CHOWN', 'CAP_KILL'],
    available: ['CAP_CHOWN', 'CAP_KILL', 'CAP_SYS_ADMIN'],
  };
  const set = (add: readonly string[], drop: readonly string[], privileged = false) =>
    capabilitySet({ 'cap-add': add, 'cap-drop': drop, privileged }, basis);

  test('capabilities follow Docker: all, then additions, then drops', () => {
    assert.deepEqual(set([], []), ['CAP_CHOWN', 'CAP_KILL']);
    assert.deepEqual(set(['net_admin'], ['CAP_CHOWN']), ['CAP_KILL', 'CAP_NET_ADMIN']);
    assert.deepEqual(set(['NET_RAW'], ['ALL']), ['CAP_NET_RAW']);
    assert.deepEqual(set(['ALL'], ['KILL']), ['CAP_CHOWN', 'CAP_SYS_ADMIN']);
    assert.deepEqual(set([], [], true), ['CAP_CHOWN', 'CAP_KILL', 'CAP_SYS_ADMIN']);
    assert.throws(() => set(['SUPER'], []), usage);
  });

  test('the bounding set is read by number', () => {
    assert.deepEqual(boundingCapabilities('CapBnd:\t0000000000000021\n'), ['CAP_CHOWN', 'CAP_KILL']);
    assert.equal(boundingCapabilities('CapBnd:\t000001ffffffffff\n').length, linuxCapabilities.length);
  });

  test('security options that cannot be done are refused', () => {
    assert.deepEqual(parseSecurityOptions(['no-new-privileges', 'seccomp=unconfined']), {
      noNewPrivileges: true,
      seccomp: 'unconfined',
    });
    assert.deepEqual(parseSecurityOptions(['no-new-privileges:false']), { noNewPrivileges: false });
    assert.deepEqual(parseSecurityOptions(['seccomp:profile.json']), {
      noNewPrivileges: false,
      seccomp: 'profile.json',
    });
    assert.throws(() => parseSecurityOptions(['seccomp=']), usage);
    assert.equal(parseSecurityOptions(['apparmor=strict']).apparmor, 'strict');
    assert.equal(parseSecurityOptions(['systempaths=unconfined']).unmasked, true);
    assert.throws(() => parseSecurityOptions(['label=type:svirt_t']), usage);
  });
});

test('devices', () => {
  assert.deepEqual(parseDevice('/dev/fuse'), {
    source: '/dev/fuse',
    destination: '/dev/fuse',
    access: 'rwm',
  });
  assert.deepEqual(parseDevice('/dev/a:/dev/b:r'), { source: '/dev/a', destination: '/dev/b', access: 'r' });
  assert.deepEqual(parseDevice('/dev/a:rw'), { source: '/dev/a', destination: '/dev/a', access: 'rw' });
  assert.throws(() => parseDevice('/dev/a:/dev/b:x'), usage);
  assert.deepEqual(deviceNumbers(0x0103), { major: 1, minor: 3 });
  assert.deepEqual(deviceNumbers(0x10_0801), { major: 8, minor: 257 });
});

describe('the configuration', () => {
  const facts = {
    hostname: 'box',
    rootless: false,
    devices: { devices: [], rules: [], mounts: [] },
    files: [],
    placements: {},
  };
  const edited = (flags: Partial<RunFlagValues>): RuntimeSpec =>
    applyRunFlags(specFromImage(image), { ...none, ...flags }, facts);

  test('without flags it is writable, private and without a terminal', () => {
    const spec = edited({});
    assert.equal(spec.hostname, 'box');
    assert.equal(spec.root?.readonly, false);
    assert.equal(spec.process?.terminal, false);
    assert.equal(spec.process?.noNewPrivileges, false);
    assert.deepEqual(spec.process?.rlimits, []);
    assert.ok(spec.linux?.namespaces?.some(({ type }) => type === 'network'));
    assert.ok((spec.linux?.maskedPaths ?? []).length > 0);
  });

  test('flags change what they name', () => {
    assert.equal(edited({ 'read-only': true }).root?.readonly, true);
    assert.equal(edited({ tty: true }).process?.terminal, true);
    assert.equal(edited({ 'security-opt': ['no-new-privileges'] }).process?.noNewPrivileges, true);
    assert.equal(edited({ memory: '1m' }).linux?.resources?.memory?.limit, 2 ** 20);
    const destinations = edited({ volume: ['/x:/a/b', '/y:/a'], tmpfs: ['/c/d/e'] }).mounts?.map(
      ({ destination }) => destination,
    );
    assert.deepEqual(destinations?.slice(-3), ['/a', '/a/b', '/c/d/e']);
  });

  test('privileged unmasks and allows all devices', () => {
    const { linux, mounts } = edited({ privileged: true });
    assert.deepEqual(linux?.maskedPaths, []);
    assert.deepEqual(linux?.readonlyPaths, []);
    assert.deepEqual(linux?.resources?.devices, [{ allow: true, access: 'rwm' }]);
    assert.ok(mounts?.find(({ destination }) => destination === '/sys')?.options?.includes('rw'));
  });

  test('values that make no sense are found before anything is pulled', () => {
    for (const flags of [
      { volume: ['x'] },
      { memory: 'x' },
      { 'cap-add': ['x'] },
      { device: ['x'] },
      { hostname: '-' },
      { ulimit: ['x'] },
    ]) {
      assert.throws(() => checkRunFlags({ ...none, ...flags }), usage);
    }
    checkRunFlags(none);
  });

  test('a bundle is launched as it is', () => {
    refuseBundleFlags(['--bundle', 'dir', '--rm', '-d', '--name=x', '--store', '/s']);
    for (const flag of ['-e', '--env=A=1', '-it', '--memory', '-v']) {
      assert.throws(() => refuseBundleFlags(['--bundle', 'dir', flag]), usage, flag);
    }
  });
});

test('subordinate ids follow the own one', () => {
  const user = { uid: 1000, username: 'anna' };
  const ranges = parseRanges('bob:1:5\nanna:100000:65536\n1000:300000:10\nanna:x:1\n', user);
  assert.deepEqual(mappings(1000, ranges), [
    { containerID: 0, hostID: 1000, size: 1 },
    { containerID: 1, hostID: 100_000, size: 65_536 },
    { containerID: 65_537, hostID: 300_000, size: 10 },
  ]);
});

test('a signal without a handler is one that the kernel would drop for process 1', () => {
  const status = 'SigIgn:\t0000000000000001\nSigCgt:\t0000000000000002\n';
  assert.equal(hasDefaultAction(status, 1), false);
  assert.equal(hasDefaultAction(status, 2), false);
  assert.equal(hasDefaultAction(status, 15), true);
  const blocked = `${status}SigBlk:\t0000000000004000\n`;
  assert.equal(hasDefaultAction(blocked, 15), false, 'whoever blocks it asks for it, as tini does');
});

test('process 1 of a container is told by its status', () => {
  assert.equal(isFirstOfNamespace('NSpid:\t4711\t1\n'), true);
  assert.equal(isFirstOfNamespace('NSpid:\t4711\t12\n'), false);
  assert.equal(isFirstOfNamespace('NSpid:\t1\n'), false);
});
